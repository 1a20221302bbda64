#pragma once

#include "sae/kernels/elementwise.hpp"
#include "sae/model/gradient_buckets.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// Softmax cross-entropy of the whole network against the labels; trains all weights and
/// the biases of the encoders and the output. Visible biases get a gradient of 0. Operands of
/// products are of type T, the gradient of type G.
template <typename T, typename G = Master<T>>
class ClassifierObjective final : public Objective<Master<T>> {
 public:
  /// The layout must outlive the objective.
  explicit ClassifierObjective(const ParameterLayout& layout) : layout_(layout) {}

  Range trainable_range() const override { return layout_.finetuning_range(); }
  using Objective<Master<T>>::evaluate;
  ObjectiveSums evaluate(const ParametersRef<Master<T>>& parameters,
                         const Minibatch<Master<T>>& minibatch, std::uint32_t epoch,
                         GradientSink<Master<T>>& gradient) override;
  double flop_per_sample(Index encoded_layers) const override;

 private:
  const ParameterLayout& layout_;
  // Kept to be allocated once.
  std::vector<Matrix<T>> activations_;  ///< The pixels, then the codes of each hidden layer.
  std::vector<Matrix<T>> inputs_;       ///< Of their units, where the derivative needs them.
  Matrix<T> delta_, delta_below_;
  Matrix<Master<T>> logits_;
  Vector<Master<T>> bias_gradient_;
};

}  // namespace sae
