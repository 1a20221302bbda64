#pragma once

#include <algorithm>
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

}  // namespace sae
