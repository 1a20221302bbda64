#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sae/config/configuration.hpp"
#include "sae/core/types.hpp"

namespace sae {

/// Parses arguments by long options only, never abbreviated, so that a value may begin with '-'
/// and an old script keeps its meaning when options are added.
/// Throws: UsageError.
boost::program_options::variables_map parse_arguments(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positional = {});

/// Throws: UsageError, after `where`, if an option is given twice; lists would be joined.
void refuse_repetitions(const boost::program_options::parsed_options& parsed,
                        const std::string& where = {});

/// Seconds in a text such as 90s, 55m, 2h or 300, or as in Slurm 30:00 (minutes), 1:30:00, 2-12
/// (days and hours) or 2-12:30:00.
double parse_duration(const std::string& option, const std::string& text);

/// The numbers in `texts`, each holding one or several, separated by commas or blanks.
/// Throws: UsageError naming the option, also where a comma seems to be a decimal or thousands
/// separator.
std::vector<double> parse_reals(const std::string& option, const std::vector<std::string>& texts);
std::vector<Index> parse_integers(const std::string& option, const std::vector<std::string>& texts);

/// A whole number of 64 bits without sign.
std::uint64_t parse_seed(const std::string& text);

// Values of options that several commands have. Throw: UsageError naming the option.

/// None for "auto".
std::optional<Precision> parse_precision(const std::string& option, const std::string& text);
Averaging parse_averaging(const std::string& text);
CorruptionAt parse_corruption_at(const std::string& text);
/// Throws also if the text is "on" and the codes are not fixed during a stage.
CacheCodes parse_cache_codes(const std::string& text, CorruptionAt corruption_at);
/// 0 for "auto".
Index parse_threads(const std::string& text);

/// The value that goes with a name. Throws: UsageError listing the names.
template <typename Value>
Value choose(const std::string& option, const std::string& name,
             const std::vector<std::pair<std::string, Value>>& choices);

/// Throws: UsageError with the sentence, unless the condition holds.
void require(bool condition, const std::string& sentence);

}  // namespace sae

#include <fmt/format.h>

#include "sae/core/error.hpp"

namespace sae {

template <typename Value>
Value choose(const std::string& option, const std::string& name,
             const std::vector<std::pair<std::string, Value>>& choices) {
  std::string names;
  for (const auto& [choice, value] : choices) {
    if (choice == name) return value;
    names += (names.empty() ? "" : ", ") + choice;
  }
  throw UsageError(fmt::format("--{} is one of {}, not '{}'.", option, names, name));
}

}  // namespace sae
