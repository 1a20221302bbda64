#include "stall_report.hpp"

#include <fmt/format.h>

#include <chrono>

#include "sae/core/host.hpp"

namespace sae {
namespace {

/// Nanoseconds after which a watchdog that has not looked belongs to a stopped or lost process.
constexpr std::int64_t kSilent = 1'500'000'000;

bool looks(const Heartbeat& heartbeat, std::int64_t now) {
  return now - heartbeat.last_watched <= kSilent;
}

std::string line_of(const Heartbeat& h, std::span<const std::string> stage_names,
                    std::int64_t now) {
  const auto stage = static_cast<std::size_t>(h.stage.load());
  const Phase phase = h.phase;
  const char* state = !looks(h, now)                                            ? "does not answer"
                      : phase == Phase::kExchange || phase == Phase::kReduction ? "waits for others"
                                                                                : "is busy";
  return fmt::format(
      "sae_dist [rank {}, {}]: no progress for {:.0f} s: stage {}, step {}, phase {}, {}.\n",
      h.rank.load(), host_name(), static_cast<double>(now - h.last_progress) * 1e-9,
      stage < stage_names.size() ? stage_names[stage] : "none", h.step.load(), name_of(phase),
      state);
}

}  // namespace

std::int64_t steady_nanoseconds() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

std::int64_t slept_between(std::int64_t last_look, std::int64_t now) {
  // One interval counts, so that a process that rarely runs can still stall.
  constexpr std::int64_t kLook = 100'000'000;
  return now - last_look > kSilent ? now - last_look - kLook : 0;
}

std::string stall_report(const Heartbeat& own, std::span<const Heartbeat* const> of_node,
                         std::span<const std::string> stage_names, std::int64_t now) {
  std::string text = line_of(own, stage_names, now);
  for (const Heartbeat* other : of_node) {
    if (other == &own) break;
    if (!other->idle && looks(*other, now)) return text;  // It reports the unresponsive.
  }
  for (const Heartbeat* other : of_node) {
    if (other != &own && !other->idle && !looks(*other, now)) {
      text += line_of(*other, stage_names, now);
    }
  }
  return text;
}

}  // namespace sae
