#pragma once

#include "sae/config/configuration.hpp"

namespace sae {

/// Throws: UsageError if settings contradict each other.
void check_together(const Configuration& c);

}  // namespace sae
