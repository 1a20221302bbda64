#include <fmt/format.h>

#include <algorithm>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "sae/config/settings.hpp"
#include "sae/config/values.hpp"
#include "sae/core/suggestion.hpp"

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
std::string unquoted(std::string_view text) {
  text = trimmed(text);
  if (!text.starts_with('"')) return std::string(trimmed(without_comment(text)));
  std::istringstream stream{std::string(text)};
  std::string value;
  std::string rest;
  stream >> std::quoted(value);
  std::getline(stream, rest);
  require(!stream.bad() && trimmed(without_comment(rest)).empty(),
          fmt::format("'{}' has text after its closing quote.", text));
  return value;
}

/// A value in quotes where it needs them.
std::string quoted(const std::string& value) {
  const bool plain =
      trimmed(value) == value && without_comment(value) == value && !value.starts_with('"');
  if (plain) return value;
  std::ostringstream text;
  text << std::quoted(value);
  return text.str();
}

struct Line {
  int number;
  std::string name;
  std::string value;
};

/// Throws: UsageError naming the file and the line.
std::vector<Line> lines_of(std::string_view text, const std::string& file) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<Line> result;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string whole; std::getline(lines, whole);) {
    ++number;
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.starts_with('#')) continue;
    const std::string where = fmt::format("In {}, line {}: ", file, number);
    const auto equals = line.find('=');
    require(equals != std::string_view::npos,
            fmt::format("{}'{}' is no setting; those are NAME=VALUE.", where, line));
    try {
      result.push_back({.number = number,
                        .name = std::string(trimmed(line.substr(0, equals))),
                        .value = unquoted(line.substr(equals + 1))});
    } catch (const UsageError& error) {
      throw UsageError(where + error.what());
    }
  }
  return result;
}

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings()) names.push_back(setting.name);
  return names;
}

bool is_known(const std::string& name) { return std::ranges::count(known_names(), name) > 0; }

}  // namespace

SettingTexts parse_settings(const std::string& text, const std::string& file) {
  SettingTexts texts;
  for (const Line& line : lines_of(text, file)) {
    const std::string where = fmt::format("In {}, line {}: ", file, line.number);
    require(is_known(line.name), fmt::format("{}there is no setting '{}'.{}", where, line.name,
                                             did_you_mean(line.name, known_names())));
    require(texts.emplace(line.name, SettingText{line.value, where}).second,
            fmt::format("{}--{} is given more than once.", where, line.name));
  }
  return texts;
}

std::string to_text(const Configuration& configuration) {
  std::string text;
  for (const Setting& setting : settings()) {
    const std::string value = setting.write(configuration);
    if (!value.empty()) text += fmt::format("{}={}\n", setting.name, quoted(value));
  }
  return text;
}

Configuration recorded_configuration(const std::string& text) {
  SettingTexts texts;
  for (const Setting& setting : settings()) {
    if (!setting.before.empty()) texts[setting.name] = {setting.before};
  }
  std::string unknown;
  const auto add_unknown = [&unknown](const Line& line) {
    unknown += fmt::format("{}--{} {}", unknown.empty() ? "" : ", ", line.name, line.value);
  };
  try {
    for (const Line& line : lines_of(text, "the checkpoint's settings")) {
      if (is_known(line.name)) {
        texts[line.name] = {line.value};
      } else {
        add_unknown(line);
      }
    }
    if (unknown.empty()) return configuration_of(texts);
  } catch (const UsageError& error) {
    throw DataError(fmt::format(
        "The checkpoint has a setting that this program does not understand: {}", error.what()));
  }
  throw DataError(
      fmt::format("The checkpoint was made by a newer program, with settings that this one does "
                  "not know: {}.",
                  unknown));
}

}  // namespace sae
