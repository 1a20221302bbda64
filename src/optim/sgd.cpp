#include "sae/optim/sgd.hpp"

#include <cassert>
#include <cstddef>

namespace sae {

void sgd_update(std::span<float> parameters, std::span<const float> gradient,
                std::span<float> velocity, const SgdStep& step) {
  assert(gradient.size() == parameters.size());
  assert(velocity.size() == parameters.size() || step.momentum == 0);
  float* w = parameters.data();
  const float* g = gradient.data();
  float* v = velocity.data();
  const std::size_t size = parameters.size();
  if (step.momentum == 0) {
    for (std::size_t i = 0; i < size; ++i) {
      w[i] -= step.learning_rate * (step.gradient_scale * g[i] + step.weight_decay * w[i]);
    }
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      v[i] = step.momentum * v[i] + (step.gradient_scale * g[i] + step.weight_decay * w[i]);
      w[i] -= step.learning_rate * v[i];
    }
  }
}

}  // namespace sae
