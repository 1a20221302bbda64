#include <memory>

#include "elementwise_optimizer.hpp"

namespace sae {
namespace {

/// w = w - learning_rate g.
struct PlainSgd {
  static constexpr std::array<const char*, 0> kSlots = {};

  float operator()(float w, float g, std::array<float, 0>& /*slots*/,
                   const OptimizerStep& step) const {
    return multiply_add(-step.learning_rate, g, w);
  }
};

/// v = momentum v + g;  w = w - learning_rate v.  Polyak, 'Some methods of speeding up the
/// convergence of iteration methods', 1964.
struct MomentumSgd {
  static constexpr std::array kSlots = {"velocity"};
  float momentum;

  float operator()(float w, float g, std::array<float, 1>& slots, const OptimizerStep& step) const {
    slots[0] = multiply_add(momentum, slots[0], g);
    return multiply_add(-step.learning_rate, slots[0], w);
  }
};

/// v = momentum v + g;  w = w - learning_rate (g + momentum v).  Sutskever et al., 'On the
/// importance of initialization and momentum in deep learning', ICML 2013.
struct NesterovSgd {
  static constexpr std::array kSlots = {"velocity"};
  float momentum;

  float operator()(float w, float g, std::array<float, 1>& slots, const OptimizerStep& step) const {
    slots[0] = multiply_add(momentum, slots[0], g);
    return multiply_add(-step.learning_rate, multiply_add(momentum, slots[0], g), w);
  }
};

}  // namespace

std::unique_ptr<Optimizer> make_nesterov(const OptimizerSettings& settings) {
  return std::make_unique<ElementwiseOptimizer<NesterovSgd>>(
      NesterovSgd{static_cast<float>(settings.momentum)});
}

std::unique_ptr<Optimizer> make_sgd(const OptimizerSettings& settings) {
  if (settings.momentum == 0) return std::make_unique<ElementwiseOptimizer<PlainSgd>>(PlainSgd{});
  return std::make_unique<ElementwiseOptimizer<MomentumSgd>>(
      MomentumSgd{static_cast<float>(settings.momentum)});
}

}  // namespace sae
