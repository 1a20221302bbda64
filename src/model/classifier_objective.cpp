#include "sae/model/classifier_objective.hpp"

#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

template <typename T>
ObjectiveSums ClassifierObjective<T>::evaluate(const Vector<T>& parameters,
                                               const Minibatch<T>& minibatch,
                                               std::uint32_t /*epoch*/, Vector<T>& gradient) {
  const Index layers = layout_.topology().hidden_layers();
  const auto codes_below = [&](Index layer) -> const Matrix<T>& {
    return layer == 0 ? minibatch.inputs : hidden_[static_cast<std::size_t>(layer - 1)];
  };
  hidden_.resize(static_cast<std::size_t>(layers));
  for (Index layer = 0; layer < layers; ++layer) {
    encode_layer<T>(layout_, layer, parameters, codes_below(layer),
                    hidden_[static_cast<std::size_t>(layer)]);
  }
  delta_.resize(layout_.topology().classes, minibatch.size());
  multiply<T>(view_of(parameters, layout_.output().weights), codes_below(layers), delta_);
  add_bias<T>(view_of(parameters, layout_.output().bias).col(0), delta_);
  const ClassificationSums classified = softmax_cross_entropy<T>(minibatch.labels, delta_);

  for (Index layer = layers; layer >= 0; --layer) {
    const LayerViews& views = layer == layers ? layout_.output() : layout_.hidden(layer);
    auto weights_gradient = view_of(gradient, views.weights);
    multiply_outer<T>(delta_, codes_below(layer), weights_gradient);
    view_of(gradient, views.bias) = delta_.rowwise().sum();
    view_of(gradient, views.visible_bias).setZero();
    if (layer == 0) break;
    delta_below_.resize(views.weights.cols, minibatch.size());
    multiply_transposed<T>(view_of(parameters, views.weights), delta_, delta_below_);
    multiply_by_logistic_derivative<T>(codes_below(layer), delta_below_);
    delta_.swap(delta_below_);
  }
  return {classified.loss, classified.errors, static_cast<double>(minibatch.size())};
}

template <typename T>
double ClassifierObjective<T>::flop_per_sample() const {
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

}  // namespace sae
