#include "sae/model/joint_objective.hpp"

#include <cassert>

#include "sae/kernels/combinator.hpp"
#include "sae/kernels/elementwise.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

constexpr std::uint32_t kMostLayers = 128;

/// Calls use(j) for each sample, by all threads.
template <typename Use>
void for_each_sample(Index samples, const Use& use) {
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < samples; ++j) use(j);
}

template <typename T, typename M>
void cast_samples(const ConstMatrixRef<M>& from, MatrixRef<T> to) {
  for_each_sample(from.cols(), [&](Index j) { to.col(j) = from.col(j).template cast<T>(); });
}

}  // namespace

template <typename T, typename G>
JointObjective<T, G>::JointObjective(const ParameterLayout& layout, const JointSettings& settings)
    : layout_(layout), settings_(settings) {
  const Index layers = settings.layers.size() + (settings.classifies ? 1 : 0);
  operands_.resize(static_cast<std::size_t>(layers));
  levels_.resize(static_cast<std::size_t>(layers) + 1);
}

template <typename T, typename G>
Range JointObjective<T, G>::trainable_range() const {
  return settings_.classifies ? layout_.finetuning_range()
                              : layout_.pretraining_range(settings_.layers.begin);
}

template <typename T, typename G>
void JointObjective<T, G>::encode_all(const ParametersRef<M>& parameters,
                                      const Minibatch<M>& minibatch, std::uint32_t epoch,
                                      GradientSink<M>& sums) {
  for (Index layer = 0; layer < layers(); ++layer) {
    const Index columns = samples_ + (layer < top() ? decoded_ : 0);
    operands(layer).below.resize(views(layer).weights.cols, columns);
    operands(layer).above.resize(views(layer).weights.rows, columns);
  }
  prepare_inputs<T>(layout_, settings_.inputs, parameters, minibatch, epoch, inputs_,
                    operands(0).below.leftCols(samples_));
  level(0).noisy = operands(0).below.leftCols(samples_).template cast<M>();
  for (Index layer = 0; layer < layers(); ++layer) {
    const LayerViews& v = views(layer);
    Level& at = level(layer + 1);
    at.normalized.resize(v.weights.rows, samples_);
    multiply<T, M>(view_of(elements_of<T>(parameters), v.weights),
                   operands(layer).below.leftCols(samples_), at.normalized);
    at.encoder.normalize(v.normalization, groups_, at.normalized, sums);
    at.noisy.resize(v.weights.rows, samples_);
    // Keys of their own for each layer.
    assert(layer + 1 < static_cast<Index>(kMostLayers));
    const auto stage = settings_.inputs.stage + 256 * static_cast<std::uint32_t>(layer + 1);
    corrupt<M>(settings_.layer_noise, {settings_.inputs.seed, stage, epoch}, minibatch.samples,
               at.normalized, at.noisy);
    at.codes.resize(v.weights.rows, samples_);
    const bool keeps_inputs = !is_output(layer) && derivative_needs_inputs(v.activation);
    if (keeps_inputs) at.unit_inputs.resize(v.weights.rows, samples_);
    for_each_sample(samples_, [&](Index j) {
      auto code = at.codes.col(j);
      code = at.noisy.col(j);
      if (v.gain.size() > 0) code.array() *= row(parameters, v.gain).array();
      code += row(parameters, v.bias);
      if (is_output(layer)) return;
      if (keeps_inputs) at.unit_inputs.col(j) = code;
      activate<M>(v.activation, code, code);
    });
    if (is_output(layer) || layer + 1 == layers()) continue;
    auto above = operands(layer + 1).below.leftCols(samples_);
    cast_samples<T, M>(at.codes, above);
    if (settings_.dropout > 0) {
      const Noise dropout{NoiseKind::kMasking, settings_.dropout};
      const NoiseKey key{settings_.inputs.seed, stage + 256 * kMostLayers, epoch};
      corrupt<T>(dropout, key, minibatch.samples, above, above);
      const auto kept = static_cast<T>(static_cast<M>(1 / (1 - settings_.dropout)));
      for_each_sample(samples_, [&](Index j) { above.col(j) *= kept; });
    }
  }
}

template <typename T, typename G>
ObjectiveSums JointObjective<T, G>::classify(const Minibatch<M>& minibatch) {
  Level& at = level(layers());
  std::vector<std::uint16_t> labels = minibatch.labels;
  // The mean over the samples drawn besides counts as that over all the others.
  double weight = 1;
  if (minibatch.global_besides > 0) {
    std::fill(labels.begin() + minibatch.besides, labels.end(), kNoLabel);
    weight =
        static_cast<double>(minibatch.global_size) / static_cast<double>(minibatch.global_besides);
  }
  if (decodes() && !begins_at_codes()) {
    class_shares_ = at.codes.rightCols(decoded_);
    for (Index j = 0; j < decoded_; ++j) log_softmax<M>(class_shares_.col(j));
    class_shares_ = class_shares_.array().exp().matrix();
  }
  at.delta = at.codes;
  const ClassificationSums classified =
      softmax_cross_entropy<M>(labels, at.delta, settings_.label_smoothing);
  at.delta *= static_cast<M>(weight);
  return {.loss = weight * classified.loss, .errors = weight * classified.errors};
}

template <typename T, typename G>
void JointObjective<T, G>::decode_level(const ParametersRef<M>& parameters, Index l,
                                        GradientSink<M>& sums) {
  Level& at = level(l);
  if (l < top()) {
    Operands& o = operands(l);
    cast_samples<T, M>(level(l + 1).decoded, o.above.rightCols(decoded_));
    at.projected.resize(views(l).weights.cols, decoded_);
    const auto weights = elements_of<T>(parameters);
    if (is_free()) {
      multiply<T, M>(view_of(weights, views(l).decoder), o.above.rightCols(decoded_), at.projected);
    } else {
      multiply_transposed<T, M>(view_of(weights, views(l).weights), o.above.rightCols(decoded_),
                                at.projected);
    }
  } else if (begins_at_codes()) {
    at.decoded = at.codes.rightCols(decoded_);
    return;
  } else {
    at.projected = class_shares_;
  }
  const bool is_visible = l == 0 && !lateral();
  at.decoder.normalize(is_visible ? Normalization::kNone : layout_.topology().normalization,
                       {{{0, decoded_}, groups_.back().global_count}}, at.projected, sums);
  if (lateral()) {
    at.decoded.resize(at.projected.rows(), decoded_);
    combine<M>(view_of(parameters.values, combinator(l)), at.noisy.rightCols(decoded_),
               at.projected, at.decoded);
    return;
  }
  at.decoded = at.projected;
  at.decoded.colwise() += row(parameters, views(l).visible_bias);
  if (is_visible) {
    visible_values<M>(views(0).visible, at.decoded);
  } else {
    const Activation activation = views(l - 1).activation;
    if (derivative_needs_inputs(activation)) at.decoded_inputs = at.decoded;
    activate<M>(activation, at.decoded, at.decoded);
  }
}

template <typename T, typename G>
double JointObjective<T, G>::decode_all(const ParametersRef<M>& parameters, GradientSink<M>& sums) {
  for (Index l = top(); l >= 0; --l) decode_level(parameters, l, sums);
  Level& at = level(0);
  const double weight = settings_.reconstruction_weight / static_cast<double>(at.decoded.rows());
  at.decoded_delta.resize(at.decoded.rows(), decoded_);
  Vector<double> squares(decoded_);
  for_each_sample(decoded_, [&](Index j) {
    at.decoded.col(j) -= inputs_.clean.col(samples_ - decoded_ + j).template cast<M>();
    at.decoded_delta.col(j) = static_cast<M>(2 * weight) * at.decoded.col(j);
    squares[j] = at.decoded.col(j).template cast<double>().squaredNorm();
  });
  return weight * squares.sum();
}

template <typename T, typename G>
void JointObjective<T, G>::backpropagate_level(const ParametersRef<M>& parameters, Index l,
                                               GradientSink<M>& sums) {
  Level& at = level(l);
  if (lateral()) {
    at.lateral_delta.resize(at.decoded_delta.rows(), decoded_);
    at.combinator_gradient.resize(at.decoded_delta.rows(), kCombinatorParameters);
    backpropagate_combinator<M>(view_of(parameters.values, combinator(l)),
                                at.noisy.rightCols(decoded_), at.projected, at.decoded_delta,
                                at.lateral_delta, at.combinator_gradient);
  } else {
    at.visible_bias_gradient.resize(at.decoded_delta.rows());
    if (l == 0) {
      // The error is there already; the values are it and the target.
      at.decoded += inputs_.clean.rightCols(decoded_).template cast<M>();
      multiply_by_visible_derivative<M>(views(0).visible, at.decoded, at.decoded_delta,
                                        at.visible_bias_gradient);
    } else {
      const Activation activation = views(l - 1).activation;
      multiply_by_derivative<M>(activation, kept_of<M>(activation, at.decoded, at.decoded_inputs),
                                at.decoded_delta, at.visible_bias_gradient);
    }
  }
  at.decoder.backpropagate(at.projected, at.decoded_delta, sums);
}

template <typename T, typename G>
void JointObjective<T, G>::backpropagate_decoder(const ParametersRef<M>& parameters,
                                                 GradientSink<M>& sums) {
  for (Index l = 0; l < top(); ++l) {
    backpropagate_level(parameters, l, sums);
    auto below = operands(l).below.rightCols(decoded_);
    cast_samples<T, M>(level(l).decoded_delta, below);
    Matrix<M>& above = level(l + 1).decoded_delta;
    above.resize(views(l).weights.rows, decoded_);
    const auto weights = elements_of<T>(parameters);
    if (is_free()) {
      multiply_transposed<T, M>(view_of(weights, views(l).decoder), below, above);
    } else {
      multiply<T, M>(view_of(weights, views(l).weights), below, above);
    }
  }
  Level& at = level(top());
  if (begins_at_codes()) return;
  backpropagate_level(parameters, top(), sums);
  // Through the softmax.
  for (Index j = 0; j < decoded_; ++j) {
    const auto shares = class_shares_.col(j).array();
    const auto delta = at.decoded_delta.col(j).array();
    at.delta.rightCols(decoded_).col(j).array() += shares * (delta - (shares * delta).sum());
  }
}

template <typename T, typename G>
void JointObjective<T, G>::backpropagate_encoder(const ParametersRef<M>& parameters,
                                                 GradientSink<M>& sums) {
  for (Index layer = layers() - 1; layer >= 0; --layer) {
    const LayerViews& v = views(layer);
    Level& at = level(layer + 1);
    at.bias_gradient.resize(v.bias.rows);
    if (decodes() && begins_at_codes() && layer + 1 == top()) {
      at.delta.rightCols(decoded_) += at.decoded_delta;
    }
    if (is_output(layer)) {
      at.bias_gradient = at.delta.rowwise().sum();
    } else {
      multiply_by_derivative<M>(v.activation, kept_of<M>(v.activation, at.codes, at.unit_inputs),
                                at.delta, at.bias_gradient);
    }
    if (v.gain.size() > 0) {
      at.gain_gradient = at.delta.cwiseProduct(at.noisy).rowwise().sum();
      at.delta.array().colwise() *= row(parameters, v.gain).array();
    }
    if (at.lateral_delta.size() > 0) {
      const Index first = samples_ - decoded_;
      for_each_sample(decoded_,
                      [&](Index j) { at.delta.col(first + j) += at.lateral_delta.col(j); });
    }
    at.encoder.backpropagate(at.normalized, at.delta, sums);
    auto above = operands(layer).above.leftCols(samples_);
    cast_samples<T, M>(at.delta, above);
    if (layer == 0) return;
    Matrix<M>& below = level(layer).delta;
    below.resize(v.weights.cols, samples_);
    multiply_transposed<T, M>(view_of(elements_of<T>(parameters), v.weights), above, below);
    if (settings_.dropout == 0) continue;
    const auto factor = static_cast<M>(1 / (1 - settings_.dropout));
    for_each_sample(samples_, [&](Index j) {
      const auto kept = operands(layer).below.col(j).array() != T(0);
      below.col(j).array() *= kept.template cast<M>() * factor;
    });
  }
}

template <typename T, typename G>
void JointObjective<T, G>::give_gradient(GradientSink<M>& gradient) {
  const auto give = [&](const Matrix<M>& values, const ParameterView& view) {
    Vector<M> flat = Vector<M>::Zero(view.size());
    if (values.size() > 0) flat = values.reshaped();
    give_vector<G>(flat, view, gradient);
  };
  for (Index layer = layers() - 1; layer >= 0; --layer) {
    const LayerViews& v = views(layer);
    const Level& below = level(layer);
    const Level& above = level(layer + 1);
    const Matrix<T>& y = operands(layer).above;
    const Matrix<T>& x = operands(layer).below;
    if (v.decoder.size() > 0) {
      const Index decoded = x.cols() - samples_;
      give_outer_product<G, T>(y.leftCols(samples_), x.leftCols(samples_), v.weights, gradient);
      give_outer_product<G, T>(x.rightCols(decoded), y.rightCols(decoded), v.decoder, gradient);
    } else {
      give_outer_product<G, T>(y, x, v.weights, gradient);
    }
    give(above.bias_gradient, v.bias);
    give(above.gain_gradient, v.gain);
    give(below.visible_bias_gradient, v.visible_bias);
    give(below.combinator_gradient, v.combinator);
    give(above.combinator_gradient, v.top_combinator);
    give({}, v.mean);
    give({}, v.variance);
  }
}

template <typename T, typename G>
ObjectiveSums JointObjective<T, G>::evaluate(const ParametersRef<M>& parameters,
                                             const Minibatch<M>& minibatch, std::uint32_t epoch,
                                             GradientSink<M>& gradient) {
  samples_ = minibatch.size();
  decoded_ = decodes() ? samples_ - minibatch.besides : 0;
  groups_.clear();
  if (minibatch.global_besides > 0) {
    groups_.push_back({{0, minibatch.besides}, static_cast<double>(minibatch.global_besides)});
  }
  groups_.push_back({{minibatch.besides, samples_}, static_cast<double>(minibatch.global_size)});

  encode_all(parameters, minibatch, epoch, gradient);
  ObjectiveSums sums;
  if (settings_.classifies) {
    sums = classify(minibatch);
  } else {
    level(layers()).delta = Matrix<M>::Zero(views(layers() - 1).weights.rows, samples_);
  }
  if (decodes()) sums.loss += decode_all(parameters, gradient);
  sums.samples = static_cast<double>(samples_ - minibatch.besides);
  if (!gradient.reduce_sums(sums)) return sums;

  // Sums over the minibatch first, then the products whose results are waited for.
  if (decodes()) backpropagate_decoder(parameters, gradient);
  backpropagate_encoder(parameters, gradient);
  give_gradient(gradient);
  return sums;
}

template <typename T, typename G>
double JointObjective<T, G>::flop_per_sample(Index encoded_layers) const {
  double below = 0;
  for (Index layer = encoded_layers; layer < settings_.layers.begin; ++layer) {
    below += static_cast<double>(layout_.hidden(layer).weights.size());
  }
  double weights = 0;
  double decoding = 0;
  for (Index layer = 0; layer < layers(); ++layer) {
    weights += static_cast<double>(views(layer).weights.size());
    if (decodes() && layer < top()) decoding += static_cast<double>(views(layer).weights.size());
  }
  // Encoder and decoder each touch every weight for values, deltas and gradient; no delta is passed
  // to the inputs.
  return 2 * (below + 3 * weights + 3 * decoding - static_cast<double>(views(0).weights.size()));
}

template class JointObjective<float>;
template class JointObjective<double>;
template class JointObjective<bfloat16>;
template class JointObjective<bfloat16, bfloat16>;

}  // namespace sae
