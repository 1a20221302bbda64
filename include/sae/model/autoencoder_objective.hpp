#pragma once

#include <vector>

#include "sae/model/gradient_buckets.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// Reconstruction of the inputs through all layers: the deep autoencoder, unrolled, with tied
/// weights (Hinton and Salakhutdinov, Science 313, 2006). Encodes h_l = f(W_l h_(l-1) + b_l) and
/// decodes r_(l-1) = g(W_l^T r_l + c_l) from r_L = h_L, with c_l the visible biases of pretraining;
/// the loss is that of the visible units, r_0 against h_0. Trains all of them. Operands of products
/// are of type T, the gradient of type G.
template <typename T, typename G = Master<T>>
class AutoencoderObjective final : public Objective<Master<T>> {
 public:
  /// The layout must outlive the objective. Requires: it has no output layer.
  explicit AutoencoderObjective(const ParameterLayout& layout);

  Range trainable_range() const override { return layout_.finetuning_range(); }
  using Objective<Master<T>>::evaluate;
  ObjectiveSums evaluate(const ParametersRef<Master<T>>& parameters,
                         const Minibatch<Master<T>>& minibatch, std::uint32_t epoch,
                         GradientSink<Master<T>>& gradient) override;
  double flop_per_sample(Index encoded_layers) const override;

 private:
  using M = Master<T>;

  /// What one layer keeps between the passes, side by side, so that one product sums up both
  /// gradients of its weights.
  struct Layer {
    Matrix<T> below;  ///< (inputs, 2 samples): h_(l-1), then the derivative by W_l^T r_l + c_l.
    Matrix<T> above;  ///< (units, 2 samples): the derivative by W_l h_(l-1) + b_l, then r_l.
    Matrix<T> unit_inputs;  ///< W_l h_(l-1) + b_l, where the derivative needs it.
    Vector<M> bias_gradient, visible_bias_gradient;
  };

  Index layers() const { return static_cast<Index>(kept_.size()); }
  Layer& kept(Index layer) { return kept_[static_cast<std::size_t>(layer)]; }
  void encode_all(const ParametersRef<M>& parameters, const Minibatch<M>& minibatch);
  double decode_all(const ParametersRef<M>& parameters, Index samples);
  void backpropagate_decoder(const ParametersRef<M>& parameters, Index samples);

  const ParameterLayout& layout_;
  std::vector<Layer> kept_;
  Matrix<T> inputs_;
  Matrix<M> values_;  ///< Of decoded units.
};

}  // namespace sae
