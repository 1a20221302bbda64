#pragma once

#include <optional>
#include <string>

#include "sae/run/checkpoint.hpp"

namespace sae {

/// The value of a setting in the configuration of a checkpoint, as Configuration::text. Where it is
/// absent, what the program did that wrote it; empty if it cannot be.
std::string recorded_setting(const std::string& config, const std::string& name);

/// Decides a setting that is "auto" in the configuration `text`: as it is recorded in that of the
/// run that is resumed, or as `otherwise` if `recorded` is empty. Returns what it has written into
/// the text; none if the setting is not "auto".
std::optional<std::string> decide_setting(std::string& text, const std::string& name,
                                          const std::string& recorded,
                                          const std::string& otherwise);

/// The epochs of the stage under way that the run had been asked for.
Index recorded_epochs(const Checkpoint& checkpoint);

/// Refuses to go on with options that would change what the run computes. Those of the surroundings
/// (data path and access, averaging, codes kept or not) may differ, and stages that are not
/// over may get more epochs.
/// `now` is the configuration asked for, as Configuration::text.
/// Throws: UsageError naming each option with both values; DataError naming those that this program
/// does not know.
void check_resumable(const Checkpoint& checkpoint, const std::string& now);

}  // namespace sae
