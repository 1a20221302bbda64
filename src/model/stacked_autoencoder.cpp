#include "sae/model/stacked_autoencoder.hpp"

#include <cassert>
#include <cmath>

#include "sae/core/random.hpp"
#include "sae/kernels/combinator.hpp"

namespace sae {

namespace {

/// The weights of one array, as initialize_parameters() says.
template <typename T>
void draw_weights(const RandomKey& key, double scale, MatrixRef<T> weights) {
  const double limit =
      scale * std::sqrt(6.0 / static_cast<double>(weights.rows() + weights.cols()));
  for (Index i = 0; i < weights.size(); i += 4) {
    const auto words = random_words(key, static_cast<std::uint32_t>(i / 4));
    for (Index j = i; j < std::min(i + 4, weights.size()); ++j) {
      // The middle of the word's interval: never the limit itself, no bias towards one end.
      const double unit = (words[static_cast<std::size_t>(j - i)] + 0.5) / 4294967296.0;
      weights.data()[j] = static_cast<T>((2 * unit - 1) * limit);
    }
  }
}

}  // namespace

template <typename T>
void initialize_parameters(const ParameterLayout& layout, std::uint64_t seed, Vector<T>& parameters,
                           std::optional<double> scale) {
  parameters = Vector<T>::Zero(layout.size());
  RandomKey key{.seed = seed, .purpose = RandomPurpose::kInitialWeights};
  for (Index layer = 0; layer < layout.layers(); ++layer) {
    const LayerViews& views = layout.layer(layer);
    const Index hidden = std::min(layer, layout.topology().hidden_layers() - 1);
    const double suitable = suitable_initial_scale(layout.hidden(hidden).activation);
    for (const ParameterView& weights : {views.weights, views.decoder}) {
      if (weights.size() == 0) continue;
      draw_weights<T>(key, scale.value_or(suitable), view_of(parameters, weights));
      ++key.stage;  // Counts the arrays of weights.
    }
    view_of(parameters, views.gain).setOnes();
    view_of(parameters, views.variance).setOnes();
    for (const ParameterView& combinator : {views.combinator, views.top_combinator}) {
      if (combinator.size() > 0) initialize_combinator<T>(view_of(parameters, combinator));
    }
  }
}

namespace {

/// Logits from W x: normalised with the statistics of training samples, where the layer is, and
/// with gain and bias.
template <typename M>
void finish_logits(const LayerViews& views, const ParametersRef<M>& parameters,
                   MatrixRef<M> logits) {
  const auto row = [&](const ParameterView& view) {
    return view_of(parameters.values, view).col(0).array();
  };
  if (views.normalization == Normalization::kBatch) {
    Vector<M> scale = (row(views.variance) + M(kNormalizationEpsilon)).rsqrt();
    normalize_rows<M>(row(views.mean).matrix(), scale, logits);
  } else if (views.normalization == Normalization::kLayer) {
    Vector<M> scale;
    normalize_columns<M>(logits, scale);
  }
  if (views.gain.size() > 0) logits.array().colwise() *= row(views.gain);
  add_bias<M>(row(views.bias).matrix(), logits);
}

}  // namespace

template <typename T>
void encode_layer(const LayerViews& views, const ParametersRef<Master<T>>& parameters,
                  const ConstMatrixRef<T>& x, MatrixRef<T> hidden, Matrix<T>& kept_logits) {
  assert(x.rows() == views.weights.cols);
  if (views.normalization != Normalization::kNone) {
    using M = Master<T>;
    Matrix<M> logits(hidden.rows(), hidden.cols());
    multiply<T, M>(view_of(elements_of<T>(parameters), views.weights), x, logits);
    finish_logits<M>(views, parameters, logits);
    if (derivative_needs_inputs(views.activation)) kept_logits = logits.template cast<T>();
    activate<M>(views.activation, logits, logits);
    hidden = logits.template cast<T>();
    return;
  }
  multiply_and_activate<T>(views.activation, view_of(elements_of<T>(parameters), views.weights), x,
                           view_of(parameters.values, views.bias).col(0), hidden, kept_logits);
}

template <typename T>
void decode_layer(const LayerViews& views, const ParametersRef<Master<T>>& parameters,
                  const ConstMatrixRef<T>& hidden, MatrixRef<Master<T>> logits) {
  multiply_transposed<T, Master<T>>(view_of(elements_of<T>(parameters), views.weights), hidden,
                                    logits);
}

template <typename T>
void output_layer(const LayerViews& views, const ParametersRef<Master<T>>& parameters,
                  const ConstMatrixRef<T>& x, MatrixRef<Master<T>> logits) {
  multiply<T, Master<T>>(view_of(elements_of<T>(parameters), views.weights), x, logits);
  finish_logits<Master<T>>(views, parameters, logits);
}

template <typename T>
Matrix<T> encode(const ParameterLayout& layout, Range layers,
                 const ParametersRef<Master<T>>& parameters, Matrix<T> x) {
  Matrix<T> hidden;
  Matrix<T> logits;
  for (Index layer = layers.begin; layer < layers.end; ++layer) {
    const LayerViews& views = layout.hidden(layer);
    hidden.resize(views.weights.rows, x.cols());
    encode_layer<T>(views, parameters, x, hidden, logits);
    x.swap(hidden);
  }
  return x;
}

namespace {

/// The codes of layer `to` - 1 from those of layer `from` - 1; the pixels if `to` is 0.
template <typename T>
Matrix<T> decode_layers(const ParameterLayout& layout, Index from, Index to,
                        const ParametersRef<T>& parameters, Matrix<T> codes) {
  Matrix<T> below;
  for (Index layer = from - 1; layer >= to; --layer) {
    const LayerViews& views = layout.hidden(layer);
    below.resize(views.weights.cols, codes.cols());
    decode_layer<T>(views, parameters, codes, below);
    add_bias<T>(view_of(parameters.values, views.visible_bias).col(0), below);
    visible_values<T>(views.visible, below);
    codes.swap(below);
  }
  return codes;
}

}  // namespace

template <typename T>
Matrix<T> decode(const ParameterLayout& layout, Index layers, const ParametersRef<T>& parameters,
                 Matrix<T> codes) {
  return decode_layers<T>(layout, layers, 0, parameters, std::move(codes));
}

template <typename T>
Matrix<T> reconstruction_logits(const ParameterLayout& layout, Index layers,
                                const ParametersRef<T>& parameters, Matrix<T> x) {
  Matrix<T> codes = encode<T>(layout, {0, layers}, parameters, std::move(x));
  codes = decode_layers<T>(layout, layers, 1, parameters, std::move(codes));
  Matrix<T> logits(layout.topology().inputs, codes.cols());
  decode_layer<T>(layout.hidden(0), parameters, codes, logits);
  return logits;
}

template <typename T>
Matrix<T> classify(const ParameterLayout& layout, const ParametersRef<T>& parameters, Matrix<T> x) {
  const Matrix<T> codes =
      encode<T>(layout, {0, layout.topology().hidden_layers()}, parameters, std::move(x));
  Matrix<T> logits(layout.topology().classes, codes.cols());
  output_layer<T>(layout.output(), parameters, codes, logits);
  return logits;
}

#define SAE_INSTANTIATE(T)                                                                     \
  template void encode_layer<T>(const LayerViews&, const ParametersRef<Master<T>>&,            \
                                const ConstMatrixRef<T>&, MatrixRef<T>, Matrix<T>&);           \
  template void decode_layer<T>(const LayerViews&, const ParametersRef<Master<T>>&,            \
                                const ConstMatrixRef<T>&, MatrixRef<Master<T>>);               \
  template void output_layer<T>(const LayerViews&, const ParametersRef<Master<T>>&,            \
                                const ConstMatrixRef<T>&, MatrixRef<Master<T>>);               \
  template Matrix<T> encode<T>(const ParameterLayout&, Range, const ParametersRef<Master<T>>&, \
                               Matrix<T>);
#define SAE_INSTANTIATE_MASTER(T)                                                                  \
  template void initialize_parameters<T>(const ParameterLayout&, std::uint64_t, Vector<T>&,        \
                                         std::optional<double>);                                   \
  template Matrix<T> decode<T>(const ParameterLayout&, Index, const ParametersRef<T>&, Matrix<T>); \
  template Matrix<T> reconstruction_logits<T>(const ParameterLayout&, Index,                       \
                                              const ParametersRef<T>&, Matrix<T>);                 \
  template Matrix<T> classify<T>(const ParameterLayout&, const ParametersRef<T>&, Matrix<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
SAE_INSTANTIATE_MASTER(float)
SAE_INSTANTIATE_MASTER(double)
#undef SAE_INSTANTIATE
#undef SAE_INSTANTIATE_MASTER

}  // namespace sae
