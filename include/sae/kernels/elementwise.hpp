#pragma once

#include <cstdint>
#include <span>

#include "sae/kernels/products.hpp"

namespace sae {

// The elementwise parts of a training step, one pass over memory each. T is float, double or
// bfloat16; elements are computed in Master<T>, sums over a minibatch in double.

/// x (units, samples) = x + bias. Defined for float and double.
template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x);

/// delta (units, samples) = delta * h * (1 - h): the chain rule through h = logistic(a). Writes
/// the sum of the new delta over samples, which is the gradient of the bias, to bias_gradient
/// (units).
template <typename T>
void multiply_by_logistic_derivative(const ConstMatrixRef<T>& h, MatrixRef<T> delta,
                                     VectorRef<Master<T>> bias_gradient);

/// Binary cross-entropy -[x log z + (1 - x) log(1 - z)] with z = logistic(a), summed over
/// units and samples; from logits in the form max(a, 0) - a x + log(1 + exp(-|a|)), which
/// neither overflows nor needs clipping. `logits` holds a without its bias, shape (units, samples),
/// and is overwritten. Writes the derivative of the sum by a, z - x, to delta, and its sum over
/// samples to bias_gradient (units). delta and logits may be the same memory.
template <typename T>
double binary_cross_entropy(const ConstVectorRef<Master<T>>& bias, const ConstMatrixRef<T>& target,
                            MatrixRef<Master<T>> logits, MatrixRef<T> delta,
                            VectorRef<Master<T>> bias_gradient);

/// Replaces the logits of one sample by the logarithms of its softmax, with the largest logit taken
/// out of the sum, so that nothing overflows. Defined for float and double.
template <typename T>
void log_softmax(VectorRef<T> logits);

/// Result of a softmax cross-entropy over samples: sums, not means.
struct ClassificationSums {
  double loss = 0;    ///< Sum of -log p(label), in nats.
  double errors = 0;  ///< Samples whose largest logit is not at their label.
};

/// Softmax cross-entropy from logits (classes, samples). The logits are replaced by the derivative
/// of the summed loss, p - onehot(label). Defined for float and double.
template <typename T>
ClassificationSums softmax_cross_entropy(std::span<const std::uint16_t> labels,
                                         MatrixRef<T> logits);

/// The class of the largest logit of a sample, the first of equals. Defined for float and double.
template <typename T>
Index predicted_class(const ConstVectorRef<T>& logits);

}  // namespace sae
