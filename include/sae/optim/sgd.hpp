#pragma once

#include <span>

namespace sae {

/// Settings of one update.
struct SgdStep {
  float learning_rate = 0;
  float momentum = 0;        ///< In [0, 1).
  float weight_decay = 0;    ///< Of the L2 penalty weight_decay / 2 * |w|^2.
  float gradient_scale = 1;  ///< Multiplies the gradient; 1 / batch size for a summed one.
};

/// Stochastic gradient descent with momentum (Polyak):
///   v = momentum v + gradient_scale g + weight_decay w;  w = w - learning_rate v.
/// All of one size; without momentum `velocity` may be empty.
/// Returns whether the gradient is finite. Where it is not it reaches neither parameters nor
/// velocity: a block of elements that holds such a value stays as it is.
bool sgd_update(std::span<float> parameters, std::span<const float> gradient,
                std::span<float> velocity, const SgdStep& step);

}  // namespace sae
