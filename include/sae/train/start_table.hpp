#pragma once

#include <string>

#include "sae/train/observer.hpp"

namespace sae {

/// What the console and the log show before the first update: all that decides on the result, and
/// what it will cost.
std::string start_table(const RunSummary& summary, const Configuration& configuration,
                        const std::string& libraries);

}  // namespace sae
