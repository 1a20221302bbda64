#include "sae/model/classifier_objective.hpp"

#include "sae/kernels/bfloat16.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

template <typename T, typename G>
ObjectiveSums ClassifierObjective<T, G>::evaluate(const ParametersRef<Master<T>>& parameters,
                                                  const Minibatch<Master<T>>& minibatch,
                                                  std::uint32_t /*epoch*/,
                                                  GradientSink<Master<T>>& gradient) {
  const Index layers = layout_.topology().hidden_layers();
  const Index samples = minibatch.size();
  const auto weights = elements_of<T>(parameters);
  activations_.resize(static_cast<std::size_t>(layers) + 1);
  inputs_.resize(activations_.size());
  convert<T>(minibatch.inputs, activations_[0]);
  for (Index layer = 0; layer < layers; ++layer) {
    const auto below = static_cast<std::size_t>(layer);
    activations_[below + 1].resize(layout_.hidden(layer).weights.rows, samples);
    encode_layer<T>(layout_.hidden(layer), parameters, activations_[below], activations_[below + 1],
                    inputs_[below + 1]);
  }
  logits_.resize(layout_.topology().classes, samples);
  output_layer<T>(layout_.output(), parameters, activations_.back(), logits_);
  const ClassificationSums classified = softmax_cross_entropy<Master<T>>(minibatch.labels, logits_);
  const ObjectiveSums sums{classified.loss, classified.errors, static_cast<double>(samples)};
  if (!gradient.reduce_sums(sums)) return sums;
  convert<T>(logits_, delta_);
  bias_gradient_ = logits_.rowwise().sum();

  for (Index layer = layers; layer >= 0; --layer) {
    const LayerViews& views = layer == layers ? layout_.output() : layout_.hidden(layer);
    const Matrix<T>& below = activations_[static_cast<std::size_t>(layer)];
    // The last that the weights are read for.
    if (layer > 0) {
      delta_below_.resize(views.weights.cols, samples);
      multiply_transposed<T>(view_of(weights, views.weights), delta_, delta_below_);
    }
    give_outer_product<G, T>(delta_, below, views.weights, gradient);
    give_vector<G>(bias_gradient_, views.bias, gradient);
    give_vector<G>(Vector<Master<T>>(Vector<Master<T>>::Zero(views.visible_bias.size())),
                   views.visible_bias, gradient);
    if (layer == 0) break;
    bias_gradient_.resize(views.weights.cols);
    const Activation activation = layout_.hidden(layer - 1).activation;
    const Matrix<T>& inputs = inputs_[static_cast<std::size_t>(layer)];
    multiply_by_derivative<T>(activation, kept_of<T>(activation, below, inputs), delta_below_,
                              bias_gradient_);
    delta_.swap(delta_below_);
  }
  return sums;
}

template <typename T, typename G>
double ClassifierObjective<T, G>::flop_per_sample(Index /*encoded_layers*/) const {
  const Topology& topology = layout_.topology();
  double weights = static_cast<double>(layout_.output().weights.size());
  for (Index layer = 0; layer < topology.hidden_layers(); ++layer) {
    weights += static_cast<double>(layout_.hidden(layer).weights.size());
  }
  // Forward, gradient and delta each touch every weight once; no delta is passed to the pixels.
  const auto first = static_cast<double>(layout_.hidden(0).weights.size());
  return 2 * (3 * weights - first);
}

template class ClassifierObjective<float>;
template class ClassifierObjective<double>;
template class ClassifierObjective<bfloat16>;
template class ClassifierObjective<bfloat16, bfloat16>;

}  // namespace sae
