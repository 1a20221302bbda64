#include "sae/model/autoencoder_objective.hpp"

#include <cassert>

#include "sae/kernels/bfloat16.hpp"
#include "sae/kernels/elementwise.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

template <typename T, typename G>
AutoencoderObjective<T, G>::AutoencoderObjective(const ParameterLayout& layout)
    : layout_(layout), kept_(static_cast<std::size_t>(layout.topology().hidden_layers())) {
  assert(layout.topology().classes == 0);
}

template <typename T, typename G>
void AutoencoderObjective<T, G>::encode_all(const ParametersRef<M>& parameters,
                                            const Minibatch<M>& minibatch) {
  const Index samples = minibatch.size();
  for (Index layer = 0; layer < layers(); ++layer) {
    const LayerViews& views = layout_.hidden(layer);
    kept(layer).below.resize(views.weights.cols, 2 * samples);
    kept(layer).above.resize(views.weights.rows, 2 * samples);
    kept(layer).bias_gradient.resize(views.bias.rows);
    kept(layer).visible_bias_gradient.resize(views.visible_bias.rows);
  }
  convert<T>(minibatch.inputs, inputs_);
  kept(0).below.leftCols(samples) = inputs_;
  for (Index layer = 0; layer < layers(); ++layer) {
    const bool is_last = layer + 1 == layers();
    encode_layer<T>(
        layout_.hidden(layer), parameters, kept(layer).below.leftCols(samples),
        is_last ? kept(layer).above.rightCols(samples) : kept(layer + 1).below.leftCols(samples),
        kept(layer).unit_inputs);
  }
}

template <typename T, typename G>
double AutoencoderObjective<T, G>::decode_all(const ParametersRef<M>& parameters, Index samples) {
  for (Index layer = layers() - 1;; --layer) {
    const LayerViews& views = layout_.hidden(layer);
    const auto bias = view_of(parameters.values, views.visible_bias).col(0);
    values_.resize(views.weights.cols, samples);
    decode_layer<T>(views, parameters, kept(layer).above.rightCols(samples), values_);
    if (layer == 0) {
      return reconstruction_loss<T>(views.visible, bias, inputs_, values_,
                                    kept(0).below.rightCols(samples),
                                    kept(0).visible_bias_gradient);
    }
    add_bias<M>(bias, values_);
    visible_values<M>(views.visible, values_);
    kept(layer - 1).above.rightCols(samples) = values_.template cast<T>();
  }
}

template <typename T, typename G>
void AutoencoderObjective<T, G>::backpropagate_decoder(const ParametersRef<M>& parameters,
                                                       Index samples) {
  for (Index layer = 0; layer < layers(); ++layer) {
    const LayerViews& views = layout_.hidden(layer);
    const auto weights = view_of(elements_of<T>(parameters), views.weights);
    const auto delta = kept(layer).below.rightCols(samples);
    const auto decoded = kept(layer).above.rightCols(samples);
    if (layer + 1 == layers()) {
      multiply<T>(weights, delta, kept(layer).above.leftCols(samples));
      const auto units = kept_of<T>(views.activation, decoded, kept(layer).unit_inputs);
      multiply_by_derivative<T>(views.activation, units, kept(layer).above.leftCols(samples),
                                kept(layer).bias_gradient);
    } else {
      Layer& next = kept(layer + 1);
      multiply<T>(weights, delta, next.below.rightCols(samples));
      multiply_by_visible_derivative<T>(layout_.hidden(layer + 1).visible, decoded,
                                        next.below.rightCols(samples), next.visible_bias_gradient);
    }
  }
}

template <typename T, typename G>
ObjectiveSums AutoencoderObjective<T, G>::evaluate(const ParametersRef<M>& parameters,
                                                   const Minibatch<M>& minibatch,
                                                   std::uint32_t /*epoch*/,
                                                   GradientSink<M>& gradient) {
  const Index samples = minibatch.size();
  encode_all(parameters, minibatch);
  ObjectiveSums sums;
  sums.samples = static_cast<double>(samples);
  sums.loss = decode_all(parameters, samples);
  if (!gradient.reduce_sums(sums)) return sums;
  backpropagate_decoder(parameters, samples);

  for (Index layer = layers() - 1; layer >= 0; --layer) {
    const LayerViews& views = layout_.hidden(layer);
    Layer& here = kept(layer);
    // The last that the weights are read for.
    if (layer > 0) {
      Layer& below = kept(layer - 1);
      multiply_transposed<T>(view_of(elements_of<T>(parameters), views.weights),
                             here.above.leftCols(samples), below.above.leftCols(samples));
      const Activation activation = layout_.hidden(layer - 1).activation;
      const auto units = kept_of<T>(activation, here.below.leftCols(samples), below.unit_inputs);
      multiply_by_derivative<T>(activation, units, below.above.leftCols(samples),
                                below.bias_gradient);
    }
    give_outer_product<G, T>(here.above, here.below, views.weights, gradient);
    give_vector<G>(here.bias_gradient, views.bias, gradient);
    give_vector<G>(here.visible_bias_gradient, views.visible_bias, gradient);
  }
  return sums;
}

template <typename T, typename G>
double AutoencoderObjective<T, G>::flop_per_sample(Index /*encoded_layers*/) const {
  double weights = 0;
  for (Index layer = 0; layer < layers(); ++layer) {
    weights += static_cast<double>(layout_.hidden(layer).weights.size());
  }
  // Encoder and decoder each touch every weight for values, deltas and gradient; no delta is passed
  // to the inputs.
  return 2 * (6 * weights - static_cast<double>(layout_.hidden(0).weights.size()));
}

template class AutoencoderObjective<float>;
template class AutoencoderObjective<double>;
template class AutoencoderObjective<bfloat16>;
template class AutoencoderObjective<bfloat16, bfloat16>;

}  // namespace sae
