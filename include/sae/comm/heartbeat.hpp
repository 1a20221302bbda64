#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sae/core/types.hpp"

namespace sae {

/// What a rank is doing. Those in which it waits for others are kExchange and kReduction.
enum class Phase : std::int32_t { kStart, kFile, kExchange, kReduction, kCompute };

std::string_view name_of(Phase phase);

/// Where a rank stands: written by its training thread, read by watchdogs, also of other
/// processes on the node. Lives in shared memory: lock-free atomics and plain characters only.
struct Heartbeat {
  std::atomic<std::int32_t> rank{0};
  std::atomic<std::int64_t> step{0};  ///< Updates of the whole run.
  std::atomic<Phase> phase{Phase::kStart};
  std::atomic<std::int32_t> stage{-1};  ///< Index of the stage; -1: before the first.
  std::atomic<std::int64_t> moved{0};   ///< Nanoseconds of the steady clock at the last progress.
  std::atomic<std::int64_t> alive{0};   ///< The same, of its watchdog's last look.
  std::atomic<bool> idle{true};         ///< Nothing is expected of it: not begun, or done.

  /// Progress: a part of a gradient is there, a block has been read.
  void beat();
  /// The same: the stage of this index begins.
  void begin_stage(std::size_t index) {
    stage.store(static_cast<std::int32_t>(index), std::memory_order_relaxed);
    beat();
  }
  /// Takes so many nanoseconds off the time since the last progress.
  void forgive(std::int64_t nanoseconds);
  void enter(Phase now) { phase.store(now, std::memory_order_relaxed); }
};

/// Progress of a rank that may have no watchdog.
inline void beat(Heartbeat* heartbeat) {
  if (heartbeat != nullptr) heartbeat->beat();
}

/// Sets the phase for a scope, and the one before it at its end. `heartbeat` may be null.
class PhaseScope {
 public:
  PhaseScope(Heartbeat* heartbeat, Phase phase)
      : heartbeat_(heartbeat),
        before_(heartbeat != nullptr ? heartbeat->phase.load(std::memory_order_relaxed)
                                     : Phase::kStart) {
    if (heartbeat_ != nullptr) heartbeat_->enter(phase);
  }
  ~PhaseScope() {
    if (heartbeat_ != nullptr) heartbeat_->enter(before_);
  }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  Heartbeat* heartbeat_;
  Phase before_;
};

}  // namespace sae
