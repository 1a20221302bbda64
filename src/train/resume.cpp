#include "resume.hpp"

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

void check_resumable(const Checkpoint& checkpoint, const std::string& now_text) {
  static const std::set<std::string> free = {"data", "data-access", "averaging", "threads",
                                             "cache-codes"};
  Settings before = settings_of(checkpoint.config);
  Settings now = settings_of(now_text);
  for (const auto& [name, value] : before) now.try_emplace(name);  // What is not set any more.
  std::string differences;
  for (const auto& [name, value] : now) {
    const std::string& old = before[name];
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
