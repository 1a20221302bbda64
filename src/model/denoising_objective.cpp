#include "sae/model/denoising_objective.hpp"

#include "sae/kernels/bfloat16.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

template <typename T, typename G>
ObjectiveSums DenoisingObjective<T, G>::evaluate(const ParametersRef<Master<T>>& parameters,
                                                 const Minibatch<Master<T>>& minibatch,
                                                 std::uint32_t epoch,
                                                 GradientSink<Master<T>>& gradient) {
  const LayerViews& views = layout_.hidden(settings_.layer);
  const Index samples = minibatch.size();
  below_.resize(views.weights.cols, 2 * samples);
  prepare_inputs<T>(layout_, settings_, parameters, minibatch, epoch, inputs_,
                    below_.leftCols(samples));
  above_.resize(views.weights.rows, 2 * samples);
  logits_.resize(views.weights.cols, samples);
  bias_gradient_.resize(views.bias.rows);
  visible_bias_gradient_.resize(views.visible_bias.rows);
  const auto corrupted = below_.leftCols(samples);
  auto reconstruction_delta = below_.rightCols(samples);
  auto hidden_delta = above_.leftCols(samples);
  auto hidden = above_.rightCols(samples);

  encode_layer<T>(views, parameters, corrupted, hidden, unit_inputs_);
  decode_layer<T>(views, parameters, hidden, logits_);
  ObjectiveSums sums;
  sums.samples = static_cast<double>(samples);
  sums.loss =
      reconstruction_loss<T>(views.visible, view_of(parameters.values, views.visible_bias).col(0),
                             inputs_.clean, logits_, reconstruction_delta, visible_bias_gradient_);
  if (!gradient.reduce_sums(sums)) return sums;
  multiply<T>(view_of(elements_of<T>(parameters), views.weights), reconstruction_delta,
              hidden_delta);
  multiply_by_derivative<T>(views.activation, kept_of<T>(views.activation, hidden, unit_inputs_),
                            hidden_delta, bias_gradient_);

  // W serves encoder and decoder, so its gradient is the sum of both.
  give_outer_product<G, T>(above_, below_, views.weights, gradient);
  give_vector<G>(bias_gradient_, views.bias, gradient);
  give_vector<G>(visible_bias_gradient_, views.visible_bias, gradient);
  return sums;
}

template <typename T, typename G>
double DenoisingObjective<T, G>::flop_per_sample(Index encoded_layers) const {
  double below = 0;
  for (Index layer = encoded_layers; layer < settings_.layer; ++layer) {
    below += static_cast<double>(layout_.hidden(layer).weights.size());
  }
  const int passes = settings_.corruption_at == CorruptionAt::kImage ? 2 : 1;
  const auto own = static_cast<double>(layout_.hidden(settings_.layer).weights.size());
  return 2 * (passes * below + 5 * own);
}

template class DenoisingObjective<float>;
template class DenoisingObjective<double>;
template class DenoisingObjective<bfloat16>;
template class DenoisingObjective<bfloat16, bfloat16>;

}  // namespace sae
