#pragma once

#include "sae/kernels/elementwise.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// Softmax cross-entropy of the whole network against the labels; trains all weights and
/// the biases of the encoders and the output. Padding and visible biases get a gradient of 0.
template <typename T>
class ClassifierObjective final : public Objective<T> {
 public:
  /// The layout must outlive the objective.
  explicit ClassifierObjective(const ParameterLayout& layout) : layout_(layout) {}

  Range slice() const override { return layout_.finetuning_slice(); }
  ObjectiveSums evaluate(const Vector<T>& parameters, const Minibatch<T>& minibatch,
                         std::uint32_t epoch, Vector<T>& gradient) override;
  double flop_per_sample() const override;

 private:
  const ParameterLayout& layout_;
  std::vector<Matrix<T>> hidden_;  // Kept to be allocated once.
  Matrix<T> delta_, delta_below_;
};

}  // namespace sae
