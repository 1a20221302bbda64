#include "sae/model/denoising_objective.hpp"

#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

template <typename T>
ObjectiveSums DenoisingObjective<T>::evaluate(const Vector<T>& parameters,
                                              const Minibatch<T>& minibatch, std::uint32_t epoch,
                                              Vector<T>& gradient) {
  const LayerViews& views = layout_.hidden(settings_.layer);
  const NoiseKey noise{settings_.seed, settings_.stage, epoch};
  const auto corrupt = [&](Matrix<T>& x) {
    apply_masking_noise(noise, settings_.corruption_level, minibatch.samples, x);
  };
  const Index samples = minibatch.size();

  const Matrix<T> x = encode(layout_, settings_.layer, parameters, minibatch.inputs);
  Matrix<T> corrupted = x;
  if (settings_.corruption_at == CorruptionAt::kLayer) {
    corrupt(corrupted);
  } else {
    corrupted = minibatch.inputs;
    corrupt(corrupted);
    corrupted = encode(layout_, settings_.layer, parameters, std::move(corrupted));
  }

  encode_layer<T>(layout_, settings_.layer, parameters, corrupted, hidden_);
  const auto weights = view_of(parameters, views.weights);
  reconstruction_delta_.resize(x.rows(), samples);
  multiply_transposed<T>(weights, hidden_, reconstruction_delta_);
  ObjectiveSums sums;
  sums.samples = static_cast<double>(samples);
  sums.loss = binary_cross_entropy<T>(view_of(parameters, views.visible_bias).col(0), x,
                                      reconstruction_delta_);

  hidden_delta_.resize(hidden_.rows(), samples);
  multiply<T>(weights, reconstruction_delta_, hidden_delta_);
  multiply_by_logistic_derivative<T>(hidden_, hidden_delta_);

  // W serves encoder and decoder, so its gradient is the sum of both.
  auto weights_gradient = view_of(gradient, views.weights);
  multiply_outer<T>(hidden_delta_, corrupted, weights_gradient);
  add_outer<T>(hidden_, reconstruction_delta_, weights_gradient);
  view_of(gradient, views.bias) = hidden_delta_.rowwise().sum();
  view_of(gradient, views.visible_bias) = reconstruction_delta_.rowwise().sum();
  return sums;
}

template <typename T>
double DenoisingObjective<T>::flop_per_sample() const {
  double below = 0;
  for (Index layer = 0; layer < settings_.layer; ++layer) {
    below += static_cast<double>(layout_.hidden(layer).weights.size());
  }
  const int passes = settings_.corruption_at == CorruptionAt::kImage ? 2 : 1;
  const auto own = static_cast<double>(layout_.hidden(settings_.layer).weights.size());
  return 2 * (passes * below + 5 * own);
}

template class DenoisingObjective<float>;
template class DenoisingObjective<double>;

}  // namespace sae
