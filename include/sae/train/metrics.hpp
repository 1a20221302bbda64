#pragma once

#include <string>

#include "sae/train/observer.hpp"

namespace sae {

/// The line of metrics.jsonl for an epoch, with its end.
std::string metrics_line(const EpochReport& report);

}  // namespace sae
