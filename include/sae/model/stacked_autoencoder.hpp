#pragma once

#include <cstdint>
#include <optional>

#include "sae/kernels/elementwise.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

// The network itself: functions of a flat parameter vector. Defined for float and double, where
// nothing else is said.

/// Weights uniform in +-scale sqrt(6 / (inputs + outputs)), biases 0 (Glorot and Bengio, AISTATS
/// 2010). Without a scale each layer has the suitable_initial_scale() of its activation, the output
/// that of the last hidden layer. Each weight is a function of the seed, its layer and its place.
template <typename T>
void initialize_parameters(const ParameterLayout& layout, std::uint64_t seed, Vector<T>& parameters,
                           std::optional<double> scale = {});

/// hidden (units, samples) = activation(W x + b) of one hidden layer, x (inputs, samples). `logits`
/// become W x + b where the derivative of the activation needs them. T is float, double or
/// bfloat16.
template <typename T>
void encode_layer(const LayerViews& views, const ParametersRef<Master<T>>& parameters,
                  const ConstMatrixRef<T>& x, MatrixRef<T> hidden, Matrix<T>& logits);

/// logits (inputs, samples) = W^T h: those of the reconstruction of a layer's input, without the
/// visible bias. T is float, double or bfloat16.
template <typename T>
void decode_layer(const LayerViews& views, const ParametersRef<Master<T>>& parameters,
                  const ConstMatrixRef<T>& hidden, MatrixRef<Master<T>> logits);

/// logits (classes, samples) = W x + b of the output layer, x (inputs, samples). T is float, double
/// or bfloat16.
template <typename T>
void output_layer(const LayerViews& views, const ParametersRef<Master<T>>& parameters,
                  const ConstMatrixRef<T>& x, MatrixRef<Master<T>> logits);

/// The codes of hidden layer layers.end - 1 from those of the layer below layers.begin, or from
/// pixels where it is 0; x itself if there are no layers.
template <typename T>
Matrix<T> encode(const ParameterLayout& layout, Range layers,
                 const ParametersRef<Master<T>>& parameters, Matrix<T> x);

/// The values of visible units from W^T h + c, with c the visible bias, for each hidden layer from
/// layer `layers` - 1 down to the first, from the codes of layer `layers` - 1: the reconstruction
/// of the pixels. The codes themselves if `layers` is 0.
template <typename T>
Matrix<T> decode(const ParameterLayout& layout, Index layers, const ParametersRef<T>& parameters,
                 Matrix<T> codes);

/// The logits of the reconstruction of x (inputs, samples) through the first `layers` hidden
/// layers, at least one, and back, without the visible bias of the first.
template <typename T>
Matrix<T> reconstruction_logits(const ParameterLayout& layout, Index layers,
                                const ParametersRef<T>& parameters, Matrix<T> x);

/// Logits (classes, samples) of the whole network for x (inputs, samples).
template <typename T>
Matrix<T> classify(const ParameterLayout& layout, const ParametersRef<T>& parameters, Matrix<T> x);

}  // namespace sae
