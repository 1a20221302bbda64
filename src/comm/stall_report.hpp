#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sae/comm/heartbeat.hpp"

namespace sae {

/// The steady clock in nanoseconds.
std::int64_t steady_nanoseconds();

/// Nanoseconds since the watchdog's last look during which its process did not run: suspended,
/// frozen or without a core. 0 if the look is on time.
std::int64_t slept_between(std::int64_t last_look, std::int64_t now);

/// What the watchdog of a stalled rank prints: a line about its rank and, on the first responsive
/// rank of the node, a line about each unresponsive one. Omits idle ranks.
std::string stall_report(const Heartbeat& own, std::span<const Heartbeat* const> of_node,
                         std::span<const std::string> stage_names, std::int64_t now);

}  // namespace sae
