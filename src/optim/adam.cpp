#include <cmath>
#include <memory>

#include "elementwise_optimizer.hpp"

namespace sae {
namespace {

constexpr float kBeta2 = 0.999f;
constexpr float kEpsilon = 1e-8f;

/// 0 for what changes no update: units that are off leave moments that would fall to subnormal
/// numbers, with which processors compute a hundred times more slowly.
inline float flushed(float moment) { return std::abs(moment) < 1e-30f ? 0.0f : moment; }

/// m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
/// w = w - learning_rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon), with t the number of
/// the update in its stage. Kingma and Ba, 'Adam: a method for stochastic optimization', ICLR 2015.
/// With Decoupled, w also loses learning_rate weight_decay w, and g has no penalty: Loshchilov and
/// Hutter, 'Decoupled weight decay regularization', ICLR 2019.
template <bool Decoupled>
struct Adam {
  static constexpr std::array kSlots = {"moment1", "moment2"};
  static constexpr bool kDecoupledDecay = Decoupled;
  float beta1;
  float rate = 0;         ///< learning_rate / (1 - b1^t).
  float root_factor = 0;  ///< 1 / sqrt(1 - b2^t).

  Adam at(const OptimizerStep& step) const {
    const auto t = static_cast<double>(step.number);
    Adam prepared = *this;
    prepared.rate = static_cast<float>(static_cast<double>(step.learning_rate) /
                                       (1 - std::pow(static_cast<double>(beta1), t)));
    prepared.root_factor =
        static_cast<float>(1 / std::sqrt(1 - std::pow(static_cast<double>(kBeta2), t)));
    return prepared;
  }

  float operator()(float w, float g, std::array<float, 2>& slots, const OptimizerStep&) const {
    slots[0] = flushed(multiply_add(beta1, slots[0], (1 - beta1) * g));
    slots[1] = flushed(multiply_add(kBeta2, slots[1], (1 - kBeta2) * (g * g)));
    const float root = multiply_add(std::sqrt(slots[1]), root_factor, kEpsilon);
    return multiply_add(-rate, slots[0] / root, w);
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerSettings& settings) {
  return std::make_unique<ElementwiseOptimizer<Adam<false>>>(
      Adam<false>{.beta1 = static_cast<float>(settings.momentum)});
}

std::unique_ptr<Optimizer> make_adamw(const OptimizerSettings& settings) {
  return std::make_unique<ElementwiseOptimizer<Adam<true>>>(
      Adam<true>{.beta1 = static_cast<float>(settings.momentum)});
}

}  // namespace sae
