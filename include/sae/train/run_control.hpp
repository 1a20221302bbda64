#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sae/comm/heartbeat.hpp"
#include "sae/core/error.hpp"
#include "sae/core/types.hpp"
#include "sae/run/run_session.hpp"
#include "sae/train/step_profile.hpp"

namespace sae {

class DivergedError : public Error {
 public:
  explicit DivergedError(const std::string& sentence) : Error(ExitCode::kDiverged, sentence) {}
};

enum class OnDivergence {
  kStop,
  kReduce  ///< Back to the last checkpoint with half the learning rate, at most three times.
};

/// Called with each bucket of this rank's gradient before the reduction; `gradient` is empty if it
/// is in bfloat16. Not called in a reproducible run.
using GradientHook = std::function<void(Index step, Range bucket, std::span<float> gradient)>;

/// How a run is started, monitored and stopped. Nothing here changes what it computes, except
/// on_divergence after a divergence.
struct RunControl {
  Resume resume = Resume::kNever;
  std::filesystem::path resume_file = {};  ///< For Resume::kFile.
  CheckpointInterval checkpoint_every = {.seconds = 60};
  double checkpoint_patience = 0.25;  ///< Seconds that a due checkpoint waits for the previous one.
  Index keep_checkpoints = 3;
  std::optional<Index> stop_after_steps = {};  ///< Updates of this session.
  std::optional<double> max_seconds = {};      ///< Of this session, including the last save.
  OnDivergence on_divergence = OnDivergence::kStop;

  std::vector<std::string> notes = {};  ///< For the user, at the start of the run.

  Heartbeat* heartbeat = nullptr;             ///< May be null.
  StepProfile* profile = nullptr;             ///< Filled and written; may be null.
  std::function<bool()> stop_requested = {};  ///< Polled in each step; may be empty.
  /// Returns what asked this rank to stop, such as "SIGTERM", else ""; may be empty.
  std::function<std::string()> stop_reason = {};
  GradientHook gradient_hook = {};  ///< For tests.
};

}  // namespace sae
