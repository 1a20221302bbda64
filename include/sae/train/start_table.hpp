#pragma once

#include <string>

#include "sae/train/observer.hpp"

namespace sae {

/// The table that console and log show before the first update: everything that determines the
/// result, and the expected cost.
std::string start_table(const RunSummary& summary, const Configuration& configuration,
                        const std::string& libraries);

}  // namespace sae
