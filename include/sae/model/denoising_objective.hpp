#pragma once

#include "sae/kernels/elementwise.hpp"
#include "sae/model/denoising.hpp"
#include "sae/model/gradient_buckets.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// Reconstruction of a layer's clean input from its corrupted input with tied weights:
/// h = logistic(W x~ + b), z = logistic(W^T h + c), cross-entropy of z against x
/// (Vincent et al., ICML 2008, eqs. 2-4). Operands of products are of type T, the gradient of type
/// G.
template <typename T, typename G = Master<T>>
class DenoisingObjective final : public Objective<Master<T>> {
 public:
  /// The layout must outlive the objective.
  DenoisingObjective(const ParameterLayout& layout, const DenoisingSettings& settings)
      : layout_(layout), settings_(settings) {}

  Range trainable_range() const override { return layout_.pretraining_range(settings_.layer); }
  void stage_begins(const ParametersRef<Master<T>>& parameters) override {
    inputs_.donors = encode_donors<T>(layout_, settings_, parameters);
  }
  using Objective<Master<T>>::evaluate;
  ObjectiveSums evaluate(const ParametersRef<Master<T>>& parameters,
                         const Minibatch<Master<T>>& minibatch, std::uint32_t epoch,
                         GradientSink<Master<T>>& gradient) override;
  double flop_per_sample(Index encoded_layers) const override;

 private:
  const ParameterLayout& layout_;
  DenoisingSettings settings_;
  // Kept to be allocated once.
  DenoisingInputs<T> inputs_;
  /// (inputs, 2 samples): the corrupted inputs, then the derivative of the loss by the logits of
  /// their reconstructions. And (units, 2 samples): the derivative by the logits of the codes,
  /// then the codes. Side by side, so that one product sums up both gradients of the weights.
  Matrix<T> below_, above_;
  Matrix<T> unit_inputs_;  ///< W x~ + b, where the derivative needs it.
  Matrix<Master<T>> logits_;
  Vector<Master<T>> bias_gradient_, visible_bias_gradient_;
};

}  // namespace sae
