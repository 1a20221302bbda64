#include "config_file.hpp"

#include <fmt/format.h>

#include <iomanip>
#include <sstream>
#include <string_view>

#include "parsing.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::string_view without_comment(std::string_view line) {
  for (auto at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || kBlanks.find(line[at - 1]) != std::string_view::npos) return line.substr(0, at);
  }
  return line;
}

/// What stands after the equals sign.
std::string value_in(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('"')) return std::string(trimmed(without_comment(text)));
  std::istringstream stream{std::string(text)};
  std::string value;
  std::string rest;
  stream >> std::quoted(value);
  std::getline(stream, rest);
  require(!stream.bad() && trimmed(without_comment(rest)).empty(),
          fmt::format("'{}' has text after its closing quote", text));
  return value;
}

}  // namespace

po::parsed_options parse_config_file(const std::string& text, const std::string& file,
                                     const po::options_description& options) {
  po::parsed_options result(&options);
  std::istringstream lines(text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size())
                                                            : text);
  int number = 0;
  for (std::string whole; std::getline(lines, whole);) {
    ++number;
    const std::string where = fmt::format("In {}, line {}: ", file, number);
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    require(equals != std::string_view::npos,
            fmt::format("{}'{}' is no setting; those are NAME=VALUE.", where, line));
    const std::string name(trimmed(line.substr(0, equals)));
    require(options.find_nothrow(name, false) != nullptr,
            fmt::format("{}there is no setting '{}'.", where, name));
    try {
      result.options.emplace_back(name,
                                  std::vector<std::string>{value_in(line.substr(equals + 1))});
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}{}.", where, error.what()));
    }
  }
  refuse_repetitions(result, fmt::format("In {}: ", file));
  return result;
}

std::string config_value(const std::string& value) {
  const bool plain =
      trimmed(value) == value && without_comment(value) == value && !value.starts_with('"');
  if (plain) return value;
  std::ostringstream text;
  text << std::quoted(value);
  return text.str();
}

}  // namespace sae
