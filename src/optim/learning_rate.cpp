#include "sae/optim/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sae {

const Choices<Schedule>& schedule_kinds() {
  static const Choices<Schedule> kinds = {{"constant", Schedule::kConstant},
                                          {"exponential", Schedule::kExponential},
                                          {"linear", Schedule::kLinear},
                                          {"cosine", Schedule::kCosine}};
  return kinds;
}

double LearningRate::at(double epoch, double step) const {
  if (epoch < warmup_epochs) return initial * std::min(1.0, (epoch + step) / warmup_epochs);
  const double falling = (1 - start) * (epochs - warmup_epochs);
  const double since = std::max(epoch - warmup_epochs - start * (epochs - warmup_epochs), 0.0);
  const double done = std::clamp(since / std::max(falling, 1e-9), 0.0, 1.0);
  switch (schedule) {
    case Schedule::kConstant:
      return initial;
    case Schedule::kExponential:
      return initial * std::pow(decay_per_epoch, since);
    case Schedule::kLinear:
      return initial * (1 - done);
    case Schedule::kCosine:
      return initial * (1 + std::cos(std::numbers::pi * done)) / 2;
  }
  return initial;
}

}  // namespace sae
