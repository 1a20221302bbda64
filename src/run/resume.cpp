#include "sae/run/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/core/numbers.hpp"

namespace sae {
namespace {

using Settings = std::map<std::string, std::string>;

Settings settings_of(const std::string& text) {
  Settings settings;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) settings[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return settings;
}

/// What the absence of a setting means: the value that the program had before it could be set, or
/// the setting that it followed. A new setting needs a line here, so that older runs go on.
const Settings& meaning_of_absence() {
  static const Settings meanings = {{"precision", "float32"},
                                    {"gradient-precision", "float32"},
                                    {"cache-codes", "off"},
                                    {"initial-scale", "4"},
                                    {"pretrain-weight-decay", "weight-decay"}};
  return meanings;
}

/// A value, or what its absence means.
std::string value_of(const Settings& settings, const std::string& name) {
  if (const auto found = settings.find(name); found != settings.end()) return found->second;
  const auto meaning = meaning_of_absence().find(name);
  if (meaning == meaning_of_absence().end()) return {};
  const auto followed = settings.find(meaning->second);
  return followed == settings.end() ? meaning->second : followed->second;
}

/// The numbers of a list; empty if it holds anything else.
std::vector<double> numbers_of(const std::string& text) {
  return parse_numbers<double>(text).value_or(std::vector<double>{});
}

/// A list with one value for each of `count` layers.
std::vector<double> spread(std::vector<double> numbers, std::size_t count) {
  if (numbers.size() == 1) numbers.resize(count, numbers[0]);
  return numbers;
}

/// Whether two values mean the same: "0.1,0.1" is ".1".
bool equal(const std::string& before, const std::string& now) {
  if (before == now) return true;
  const auto a = numbers_of(before);
  const auto b = numbers_of(now);
  if (a.empty() || b.empty()) return false;
  const std::size_t count = std::max(a.size(), b.size());
  return spread(a, count) == spread(b, count);
}

/// Whether the epochs of each layer are those of before, or more in a layer that is not over.
bool epochs_may_change(const std::string& before, const std::string& now, const Progress& progress,
                       std::size_t layers) {
  const auto a = spread(numbers_of(before), layers);
  const auto b = spread(numbers_of(now), layers);
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool over = progress.stage > static_cast<Index>(i);
    if (b[i] < a[i] || (over && b[i] != a[i])) return false;
  }
  return true;
}

}  // namespace

std::string recorded_setting(const std::string& config, const std::string& name) {
  return value_of(settings_of(config), name);
}

std::optional<std::string> decide_setting(std::string& text, const std::string& name,
                                          const std::string& recorded,
                                          const std::string& otherwise) {
  const std::string open = fmt::format("\n{}=auto\n", name);
  const auto at = text.find(open);
  if (at == std::string::npos) return std::nullopt;
  std::string decided = recorded.empty() ? otherwise : recorded_setting(recorded, name);
  text.replace(at, open.size(), fmt::format("\n{}={}\n", name, decided));
  return decided;
}

Index recorded_epochs(const Checkpoint& checkpoint) {
  const auto stage = static_cast<std::size_t>(checkpoint.state.progress.stage);
  const std::size_t layers = checkpoint.topology.hidden.size();
  const auto epochs =
      stage == layers
          ? numbers_of(recorded_setting(checkpoint.config, "finetune-epochs"))
          : spread(numbers_of(recorded_setting(checkpoint.config, "pretrain-epochs")), layers);
  const std::size_t place = stage == layers ? 0 : stage;
  return place < epochs.size() ? static_cast<Index>(epochs[place]) : 0;
}

void check_resumable(const Checkpoint& checkpoint, const std::string& now_text) {
  static const std::set<std::string> free = {"data", "data-access", "averaging", "threads",
                                             "cache-codes"};
  const Settings before = settings_of(checkpoint.config);
  const Settings now = settings_of(now_text);
  std::set<std::string> names;
  for (const auto& [name, value] : now) names.insert(name);
  std::string unknown;
  for (const auto& [name, value] : before) {
    if (free.contains(name) || now.contains(name) || meaning_of_absence().contains(name)) {
      names.insert(name);
    } else {
      unknown += fmt::format("{}--{} {}", unknown.empty() ? "" : ", ", name, value);
    }
  }
  if (!unknown.empty()) {
    throw DataError(
        fmt::format("The checkpoint was made by a newer program, with settings that "
                    "this one does not know: {}.",
                    unknown));
  }
  std::string differences;
  for (const std::string& name : names) {
    const std::string old = value_of(before, name);
    const std::string value = value_of(now, name);
    if (free.contains(name) || equal(old, value)) continue;
    if (name == "pretrain-epochs" && epochs_may_change(old, value, checkpoint.state.progress,
                                                       checkpoint.topology.hidden.size())) {
      continue;
    }
    if (name == "finetune-epochs" && numbers_of(value) >= numbers_of(old)) continue;
    differences += fmt::format("{}--{} was {} and is now {}", differences.empty() ? "" : ", ", name,
                               old.empty() ? "not set" : old, value.empty() ? "not set" : value);
  }
  if (!differences.empty()) {
    throw UsageError(fmt::format("The run cannot go on with other settings: {}.", differences));
  }
}

}  // namespace sae
