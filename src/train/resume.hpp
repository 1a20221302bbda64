#pragma once

#include <string>

#include "sae/train/checkpoint.hpp"

namespace sae {

/// Refuses to go on with options that would change what the run computes. Those of the surroundings
/// (data path and access, averaging, codes kept or not) may differ, and stages that are not
/// over may get more epochs.
/// `now` is the configuration asked for, as Configuration::text.
/// Throws: UsageError naming each option with both values.
void check_resumable(const Checkpoint& checkpoint, const std::string& now);

}  // namespace sae
