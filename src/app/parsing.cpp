#include "parsing.hpp"

#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <type_traits>

#include "sae/core/numbers.hpp"

namespace po = boost::program_options;

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

template <typename Number>
std::vector<Number> numbers_of(const std::string& option, const std::vector<std::string>& texts,
                               const char* kind) {
  std::vector<Number> numbers;
  for (const std::string& text : texts) {
    require(
        !has_decimal_comma(text, std::is_integral_v<Number>),
        fmt::format("--{} takes {}, and a comma between two of them; '{}' seems to be one number: "
                    "write 0.5, and 1000 without a comma.",
                    option, kind, text));
    const auto parsed = parse_numbers<Number>(text);
    require(parsed.has_value(), fmt::format("--{} takes {}, not '{}'.", option, kind, text));
    numbers.insert(numbers.end(), parsed->begin(), parsed->end());
  }
  require(!numbers.empty(), fmt::format("--{} needs a value.", option));
  return numbers;
}

}  // namespace

po::variables_map parse_arguments(const std::vector<std::string>& arguments,
                                  const po::options_description& options,
                                  const po::positional_options_description& positional) {
  using po::command_line_style::allow_long;
  using po::command_line_style::long_allow_adjacent;
  using po::command_line_style::long_allow_next;
  po::variables_map values;
  try {
    const auto parsed = po::command_line_parser(arguments)
                            .options(options)
                            .positional(positional)
                            .style(allow_long | long_allow_adjacent | long_allow_next)
                            .run();
    refuse_repetitions(parsed);
    po::store(parsed, values);
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("There is an argument that belongs to no option; see --help.");
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}; see --help.", error.what()));
  }
  return values;
}

void refuse_repetitions(const po::parsed_options& parsed, const std::string& where) {
  std::set<std::string> seen;
  for (const auto& option : parsed.options) {
    require(option.position_key >= 0 || seen.insert(option.string_key).second,
            fmt::format("{}--{} is given more than once.", where, option.string_key));
  }
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

std::vector<double> parse_reals(const std::string& option, const std::vector<std::string>& texts) {
  return numbers_of<double>(option, texts, "numbers");
}

std::vector<Index> parse_integers(const std::string& option,
                                  const std::vector<std::string>& texts) {
  return numbers_of<Index>(option, texts, "whole numbers");
}

std::uint64_t parse_seed(const std::string& text) {
  const auto seeds = numbers_of<std::uint64_t>("seed", {text}, "a whole number of 0 or more");
  require(seeds.size() == 1, fmt::format("--seed takes one number, not '{}'.", text));
  return seeds[0];
}

std::optional<Precision> parse_precision(const std::string& option, const std::string& text) {
  return choose<std::optional<Precision>>(option, text,
                                          {{"auto", std::nullopt},
                                           {"float32", Precision::kFloat32},
                                           {"bfloat16", Precision::kBfloat16}});
}

Averaging parse_averaging(const std::string& text) {
  return choose<Averaging>(
      "averaging", text,
      {{"auto", Averaging::kAuto}, {"flat", Averaging::kFlat}, {"node", Averaging::kNode}});
}

CorruptionAt parse_corruption_at(const std::string& text) {
  return choose<CorruptionAt>("corruption-at", text,
                              {{"layer", CorruptionAt::kLayer}, {"image", CorruptionAt::kImage}});
}

CacheCodes parse_cache_codes(const std::string& text, CorruptionAt corruption_at) {
  const auto value = choose<CacheCodes>(
      "cache-codes", text,
      {{"auto", CacheCodes::kAuto}, {"on", CacheCodes::kOn}, {"off", CacheCodes::kOff}});
  require(
      value != CacheCodes::kOn || corruption_at != CorruptionAt::kImage,
      "--cache-codes on keeps clean codes, but with --corruption-at image corrupted pixels pass "
      "up through the finished layers.");
  return value;
}

Index parse_threads(const std::string& text) {
  if (text == "auto") return 0;
  const auto threads = parse_integers("threads", {text});
  require(threads.size() == 1 && threads[0] >= 1 && threads[0] <= 1024,
          fmt::format("--threads is auto or a number from 1 to 1024, not '{}'.", text));
  return threads[0];
}

void require(bool condition, const std::string& sentence) {
  if (!condition) throw UsageError(sentence);
}

}  // namespace sae
