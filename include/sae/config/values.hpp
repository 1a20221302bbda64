#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sae/core/choices.hpp"
#include "sae/core/error.hpp"
#include "sae/core/types.hpp"

namespace sae {

// Values of options and settings, from text. All throw UsageError with one sentence that names the
// option.

/// Unless the condition holds, throws the sentence.
void require(bool condition, const std::string& sentence);

/// Numbers separated by commas or blanks. Throws also where a comma seems to be a decimal or
/// thousands separator.
std::vector<double> parse_reals(const std::string& option, const std::string& text);
std::vector<Index> parse_integers(const std::string& option, const std::string& text);
double parse_real(const std::string& option, const std::string& text);
Index parse_integer(const std::string& option, const std::string& text);

/// A whole number of 64 bits without sign.
std::uint64_t parse_seed(const std::string& option, const std::string& text);

/// Seconds in a text such as 90s, 55m, 2h or 300, or as in Slurm 30:00 (minutes), 1:30:00, 2-12
/// (days and hours) or 2-12:30:00.
double parse_duration(const std::string& option, const std::string& text);

/// As parse_reals() reads it back: such as "0.1,0.2", or "1e-5" where all are the same.
std::string list_of(const std::vector<double>& numbers);

/// The value that goes with a name.
template <typename Value>
Value choose(const std::string& option, const std::string& name, const Choices<Value>& choices) {
  if (const auto value = find_value(name, choices)) return *value;
  std::string names;
  for (const auto& choice : choices) names += (names.empty() ? "" : ", ") + choice.name;
  throw UsageError(fmt::format("--{} is one of {}, not '{}'.", option, names, name));
}

}  // namespace sae
