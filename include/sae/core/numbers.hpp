#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

namespace sae {

/// Parses numbers separated by commas or blanks; none if the text holds anything else.
template <typename Number>
std::optional<std::vector<Number>> parse_numbers(std::string_view text) {
  const auto separates = [](char c) { return c == ',' || c == ' '; };
  std::vector<Number> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (separates(*at)) {
      ++at;
      continue;
    }
    Number number{};
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc() || (stop != end && !separates(*stop))) return std::nullopt;
    numbers.push_back(number);
    at = stop;
  }
  return numbers;
}

}  // namespace sae
