#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sae/comm/heartbeat.hpp"
#include "sae/core/types.hpp"
#include "sae/run/run_session.hpp"
#include "sae/train/step_profile.hpp"

namespace sae {

enum class OnDivergence {
  kStop,
  kReduce  ///< Back to the last checkpoint with half the learning rate, at most three times.
};

/// Called with each part of a rank's own gradient before the sum over ranks, but not in a
/// reproducible run, which has none; empty if it is held in bfloat16.
using GradientHook = std::function<void(Index step, Range part, std::span<float> gradient)>;

/// How a run is started, watched and ended: nothing here changes what it computes, but for
/// on_divergence after a divergence.
struct RunControl {
  Resume resume = Resume::kNever;
  std::filesystem::path resume_file = {};  ///< For Resume::kFile.
  CheckpointInterval checkpoint_every = {.seconds = 60};
  double checkpoint_patience = 0.25;  ///< Seconds for which one that is due waits for the last.
  Index keep_checkpoints = 3;
  std::optional<Index> stop_after_steps = {};  ///< Updates of this session.
  std::optional<double> max_seconds = {};      ///< Of this session; stops in time before it.
  OnDivergence on_divergence = OnDivergence::kStop;

  std::vector<std::string> notes = {};  ///< For the user, at the start of the run.

  Heartbeat* heartbeat = nullptr;             ///< To beat; may be null.
  StepProfile* profile = nullptr;             ///< To fill and write; may be null.
  std::function<bool()> stop_requested = {};  ///< Asked after each update; may be empty.
  /// What this rank was asked by, such as "SIGTERM", else empty text; may be empty.
  std::function<std::string()> stop_reason = {};
  GradientHook gradient_hook = {};  ///< Empty but for tests.
};

}  // namespace sae
