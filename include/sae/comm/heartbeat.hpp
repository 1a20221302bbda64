#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sae/core/types.hpp"

namespace sae {

/// What a rank is doing. It waits for other ranks in kExchange and kReduction.
enum class Phase : std::int32_t { kStart, kFile, kExchange, kReduction, kCompute };

std::string_view name_of(Phase phase);

/// Progress of a rank. Its training thread writes it; watchdogs of all processes of the node read
/// it. Lives in shared memory: lock-free atomics only.
struct Heartbeat {
  std::atomic<std::int32_t> rank{0};
  std::atomic<std::int64_t> step{0};  ///< Updates of the whole run.
  std::atomic<Phase> phase{Phase::kStart};
  std::atomic<std::int32_t> stage{-1};         ///< Index of the stage; -1: before the first.
  std::atomic<std::int64_t> last_progress{0};  ///< Steady clock in nanoseconds, at the last beat().
  std::atomic<std::int64_t> last_watched{0};   ///< Likewise, when its watchdog last looked.
  std::atomic<bool> idle{true};                ///< No progress is expected: not started, or done.

  /// Records progress, such as a bucket computed or a block read.
  void beat();
  /// Records that the stage of this index begins.
  void begin_stage(std::size_t index) {
    stage.store(static_cast<std::int32_t>(index), std::memory_order_relaxed);
    beat();
  }
  /// Subtracts so many nanoseconds from the time since the last progress.
  void discount(std::int64_t nanoseconds);
  void enter(Phase now) { phase.store(now, std::memory_order_relaxed); }
};

/// heartbeat->beat(), unless it is null.
inline void beat(Heartbeat* heartbeat) {
  if (heartbeat != nullptr) heartbeat->beat();
}

/// Sets the phase for a scope and restores the previous one. `heartbeat` may be null.
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
