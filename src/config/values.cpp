#include "sae/config/values.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <regex>
#include <type_traits>

#include "sae/core/numbers.hpp"

namespace sae {
namespace {

/// Whether one number with a comma in it is likelier than two: 0,03 and 1,000 have a zero that a
/// number would not begin with, and 0,5 is no pair of reals that somebody would want.
bool has_decimal_comma(const std::string& text, bool integers) {
  static const std::regex leading_zero("(^|[ ,])[+-]?0[0-9]");
  static const std::regex fraction("(^| )[+-]?0,[1-9][0-9]*( |$)");
  const bool has_comma = text.find(',') != std::string::npos;
  return has_comma && (std::regex_search(text, leading_zero) ||
                       (!integers && std::regex_search(text, fraction)));
}

template <typename Number>
std::vector<Number> numbers_of(const std::string& option, const std::string& text,
                               const char* kind) {
  require(
      !has_decimal_comma(text, std::is_integral_v<Number>),
      fmt::format("--{} takes {}, and a comma between two of them; '{}' seems to be one number: "
                  "write 0.5, and 1000 without a comma.",
                  option, kind, text));
  const auto numbers = parse_numbers<Number>(text);
  require(numbers.has_value(), fmt::format("--{} takes {}, not '{}'.", option, kind, text));
  require(!numbers->empty(), fmt::format("--{} needs a value.", option));
  return *numbers;
}

template <typename Number>
Number number_of(const std::string& option, const std::string& text, const char* kind) {
  const auto numbers = numbers_of<Number>(option, text, kind);
  require(numbers.size() == 1, fmt::format("--{} takes one number, not '{}'.", option, text));
  return numbers[0];
}

/// The seconds of D-HH[:MM[:SS]], HH:MM:SS or MM:SS; none if it is nothing of these.
std::optional<double> slurm_seconds(const std::string& text) {
  static const std::regex form("(?:([0-9]+)-)?([0-9]+)(?::([0-9]{1,2}))?(?::([0-9]{1,2}))?");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return std::nullopt;
  const auto number = [&](std::size_t part) {
    return parts[part].matched ? std::stod(parts[part]) : 0;
  };
  const bool has_days = parts[1].matched;
  if (!has_days && !parts[3].matched) return std::nullopt;  // A number alone.
  if (!has_days && !parts[4].matched) return 60 * number(2) + number(3);
  return 86400 * number(1) + 3600 * number(2) + 60 * number(3) + number(4);
}

}  // namespace

void require(bool condition, const std::string& sentence) {
  if (!condition) throw UsageError(sentence);
}

std::vector<double> parse_reals(const std::string& option, const std::string& text) {
  return numbers_of<double>(option, text, "numbers");
}

std::vector<Index> parse_integers(const std::string& option, const std::string& text) {
  return numbers_of<Index>(option, text, "whole numbers");
}

double parse_real(const std::string& option, const std::string& text) {
  return number_of<double>(option, text, "a number");
}

Index parse_integer(const std::string& option, const std::string& text) {
  return number_of<Index>(option, text, "a whole number");
}

std::uint64_t parse_seed(const std::string& option, const std::string& text) {
  return number_of<std::uint64_t>(option, text, "a whole number of 0 or more");
}

double parse_duration(const std::string& option, const std::string& text) {
  static const std::map<char, double> units = {{'s', 1}, {'m', 60}, {'h', 3600}};
  std::optional<double> seconds = slurm_seconds(text);
  if (!seconds) {
    const auto unit = text.empty() ? units.end() : units.find(text.back());
    const auto numbers =
        parse_numbers<double>(unit == units.end() ? text : text.substr(0, text.size() - 1));
    if (numbers && numbers->size() == 1) {
      seconds = (*numbers)[0] * (unit == units.end() ? 1 : unit->second);
    }
  }
  require(seconds && std::isfinite(*seconds) && *seconds > 0,
          fmt::format("--{} is a time such as 90s, 55m, 2h, 1:30:00 or 2-12:00:00, not '{}'.",
                      option, text));
  return *seconds;
}

std::string list_of(const std::vector<double>& numbers) {
  const bool all_equal =
      std::ranges::adjacent_find(numbers, std::not_equal_to<>()) == numbers.end();
  const std::size_t count = all_equal ? std::min<std::size_t>(numbers.size(), 1) : numbers.size();
  static const std::regex exponent("e([+-])0");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    // As people write it: 1e-5, not 1e-05.
    texts.push_back(std::regex_replace(fmt::format("{}", numbers[i]), exponent, "e$1"));
  }
  const std::string list = fmt::format("{}", fmt::join(texts, ","));
  return has_decimal_comma(list, false) ? fmt::format("{}", fmt::join(texts, ", ")) : list;
}

}  // namespace sae
