#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sae {

/// Values with their names in settings and files.
template <typename Value>
using Choices = std::vector<std::pair<std::string, Value>>;

/// Requires: the value is one of them.
template <typename Value>
const std::string& name_of(Value value, const Choices<Value>& choices) {
  return std::ranges::find(choices, value, &std::pair<std::string, Value>::second)->first;
}

/// The value of that name; none if it is not among them.
template <typename Value>
std::optional<Value> find_value(const std::string& name, const Choices<Value>& choices) {
  const auto found = std::ranges::find(choices, name, &std::pair<std::string, Value>::first);
  return found == choices.end() ? std::nullopt : std::optional<Value>(found->second);
}

}  // namespace sae
