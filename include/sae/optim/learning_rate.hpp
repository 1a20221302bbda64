#pragma once

#include "sae/core/choices.hpp"
#include "sae/core/types.hpp"

namespace sae {

/// How the learning rate falls over a stage.
enum class Schedule {
  kConstant,
  kExponential,  ///< Times decay_per_epoch for each epoch, smoothly.
  kLinear,       ///< To 0 at the end of the stage.
  kCosine        ///< To 0 along half a cosine (Loshchilov and Hutter, ICLR 2017, without restarts).
};

/// All schedules with their names in settings, such as "linear".
const Choices<Schedule>& schedule_kinds();

/// The learning rate of each step of a stage. Before it falls it may rise in a straight line
/// from near 0 over the first epochs (warm-up).
struct LearningRate {
  double initial = 0.1;
  Schedule schedule = Schedule::kConstant;
  double decay_per_epoch = 1;  ///< In (0, 1]; used by kExponential alone.
  double warmup_epochs = 0;
  double start =
      0;  ///< Share of the epochs after the warm-up in which it does not fall, in [0, 1).
  double epochs = 1;  ///< Length of the stage.

  /// Of an update that begins `epoch` epochs after the start of the stage, whole and parts, in
  /// [0, epochs), and takes `step` of an epoch: in the warm-up the rate at its end.
  double at(double epoch, double step = 0) const;
};

}  // namespace sae
