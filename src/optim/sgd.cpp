#include "sae/optim/sgd.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace sae {
namespace {

constexpr std::size_t kBlock = 2048;  // Stays in the first-level cache between check and update.

/// Whether an exponent has all its bits: infinity or not a number.
bool has_value_not_finite(const float* g, std::size_t size) {
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(g[i]);
    found |= static_cast<std::uint32_t>((bits & 0x7f800000U) == 0x7f800000U);
  }
  return found != 0;
}

void update_block(float* w, const float* g, float* v, std::size_t size, const SgdStep& step) {
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

}  // namespace

bool sgd_update(std::span<float> parameters, std::span<const float> gradient,
                std::span<float> velocity, const SgdStep& step) {
  assert(gradient.size() == parameters.size());
  assert(velocity.size() == parameters.size() || step.momentum == 0);
  bool finite = true;
  for (std::size_t begin = 0; begin < parameters.size(); begin += kBlock) {
    const std::size_t size = std::min(kBlock, parameters.size() - begin);
    if (has_value_not_finite(gradient.data() + begin, size)) {
      finite = false;
      continue;
    }
    update_block(parameters.data() + begin, gradient.data() + begin,
                 velocity.empty() ? nullptr : velocity.data() + begin, size, step);
  }
  return finite;
}

}  // namespace sae
