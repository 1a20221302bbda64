#pragma once

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sae {

/// A value with its name in settings and files, and what it is, for help; empty where the name says
/// enough.
template <typename Value>
struct Choice {
  std::string name;
  Value value;
  std::string description = {};
};

template <typename Value>
using Choices = std::vector<Choice<Value>>;

/// Throws: std::logic_error if the value is none of them.
template <typename Value>
const std::string& name_of(Value value, const Choices<Value>& choices) {
  const auto found = std::ranges::find(choices, value, &Choice<Value>::value);
  if (found == choices.end()) throw std::logic_error("a value without a name");
  return found->name;
}

/// The value of that name; none if it is not among them.
template <typename Value>
std::optional<Value> find_value(const std::string& name, const Choices<Value>& choices) {
  const auto found = std::ranges::find(choices, name, &Choice<Value>::name);
  return found == choices.end() ? std::nullopt : std::optional<Value>(found->value);
}

/// The words of a text, which commas or blanks separate.
std::vector<std::string> words_of(std::string text);

/// The words, by commas; the first alone where all are the same.
std::string joined(const std::vector<std::string>& words);

}  // namespace sae
