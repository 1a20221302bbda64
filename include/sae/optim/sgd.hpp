#pragma once

#include <span>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// Settings of one update.
struct SgdStep {
  float learning_rate = 0;
  float momentum = 0;        ///< In [0, 1).
  float weight_decay = 0;    ///< Of the L2 penalty weight_decay / 2 * |w|^2.
  float gradient_scale = 1;  ///< Multiplies the gradient; 1 / batch size for a summed one.
};

/// What an update changes: parts of flat vectors, of one size.
struct SgdVectors {
  std::span<float> parameters;
  std::span<float> velocity;    ///< May be empty without momentum.
  std::span<bfloat16> rounded;  ///< Gets the new parameters in bfloat16; may be empty.
};

/// Stochastic gradient descent with momentum (Polyak), in one pass over memory:
///   g = sum of the gradients, in their order;
///   v = momentum v + gradient_scale g + weight_decay w;  w = w - learning_rate v.
/// G is float or bfloat16. Returns whether g is finite. An element whose g is not keeps its
/// parameter and velocity.
template <typename G>
bool sgd_update(const SgdVectors& vectors, const std::vector<std::span<const G>>& gradients,
                const SgdStep& step);

}  // namespace sae
