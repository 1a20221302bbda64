#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sae/comm/heartbeat.hpp"

namespace sae {

/// Nanoseconds of the steady clock.
std::int64_t steady_nanoseconds();

/// The time since a watchdog's last look that does not count, because its process was not running:
/// suspended, frozen or without a core. 0 for a look that comes about when it should.
std::int64_t slept_between(std::int64_t last_look, std::int64_t now);

/// What the watchdog of a rank without progress prints: a line about its rank and, from the first
/// one of the node that answers, about those that do not. Ranks of which nothing is expected are
/// left out.
std::string stall_report(const Heartbeat& own, std::span<const Heartbeat* const> of_node,
                         std::span<const std::string> stage_names, std::int64_t now);

}  // namespace sae
