#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sae/core/choices.hpp"
#include "sae/core/types.hpp"

namespace sae {

enum class OptimizerKind {
  kSgd,       ///< Stochastic gradient descent with momentum (Polyak).
  kNesterov,  ///< The same with the gradient at the next point (Sutskever et al., ICML 2013).
  kAdam,      ///< Kingma and Ba, ICLR 2015.
  kAdamW,     ///< With decoupled weight decay (Loshchilov and Hutter, ICLR 2019).
  kLars       ///< Momentum with a rate for each array (You et al., 2017).
};

/// An optimizer as a value.
struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::kSgd;
  double momentum = 0;  ///< In [0, 1); of Adam, beta1. Its beta2 is 0.999, its epsilon 1e-8.
  double clip_gradient_norm = 0;  ///< Longest gradient of a minibatch's mean loss; 0: any.
  double max_norm = 0;            ///< Longest incoming weights of a hidden unit; 0: any.
};

/// What an update of one array of the model is, besides its gradient.
struct OptimizerStep {
  float learning_rate = 0;
  float weight_decay = 0;    ///< Of the L2 penalty weight_decay / 2 * |w|^2; 0 for biases.
  float gradient_scale = 1;  ///< Multiplies the gradient; 1 / batch size for a summed one.
  Index number = 1;          ///< Of the update in its stage, counted from 1.
  Index array = 0;           ///< Position of the array in the layout.
  /// Of the whole gradient; empty unless Optimizer::statistics() asks for them.
  std::span<const double> statistics = {};
};

/// What an update changes: the same elements of several flat vectors.
struct UpdatedVectors {
  std::span<float> parameters;
  std::vector<std::span<float>> slots;  ///< In the order of Optimizer::slots().
  std::span<bfloat16> rounded;          ///< Gets the new parameters in bfloat16; may be empty.
};

/// Turns gradients into updates. It keeps nothing itself: what it remembers from step to step lies
/// in slots, flat vectors of the layout of the parameters that begin each stage as 0.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// The names of its slots in checkpoints, such as "velocity".
  virtual std::vector<std::string> slots() const = 0;

  /// How many sums over the whole gradient an update needs, such as its squared norm, for a model
  /// of so many arrays. With 0, each part is updated as soon as its sum over ranks is there.
  virtual std::size_t statistics(std::size_t /*arrays*/) const { return 0; }
  /// Adds to `sums`, which has that size, what elements of one array contribute.
  virtual void add_statistics(Index /*array*/, std::span<const float> /*parameters*/,
                              std::span<const float> /*gradient*/,
                              std::span<double> /*sums*/) const {}

  /// Updates by the sum of the gradients, added in their order. Returns whether the sum is finite;
  /// an element whose sum is not keeps its values.
  virtual bool update(const UpdatedVectors& vectors,
                      const std::vector<std::span<const float>>& gradients,
                      const OptimizerStep& step) const = 0;
  virtual bool update(const UpdatedVectors& vectors,
                      const std::vector<std::span<const bfloat16>>& gradients,
                      const OptimizerStep& step) const = 0;
};

/// All kinds with their names in settings and files, such as "sgd".
const Choices<OptimizerKind>& optimizer_kinds();

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings);

}  // namespace sae
