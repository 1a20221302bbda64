#pragma once

#include <cstdint>
#include <span>

#include "sae/kernels/products.hpp"

namespace sae {

// The elementwise parts of a training step, one pass over memory each. Elements are
// computed in T, sums over them in double. Defined for float and double.

template <typename T>
using ConstVectorRef = Eigen::Ref<const Vector<T>>;
template <typename T>
using VectorRef = Eigen::Ref<Vector<T>>;

/// x (units, samples) = logistic(x + bias), 1 / (1 + exp(-a)) for each a.
template <typename T>
void add_bias_and_logistic(const ConstVectorRef<T>& bias, MatrixRef<T> x);

/// x (units, samples) = x + bias.
template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x);

/// delta (units, samples) = delta * h * (1 - h): the chain rule through h = logistic(a).
template <typename T>
void multiply_by_logistic_derivative(const ConstMatrixRef<T>& h, MatrixRef<T> delta);

/// Binary cross-entropy -[x log z + (1 - x) log(1 - z)] with z = logistic(a), summed over
/// units and samples; from logits in the form max(a, 0) - a x + log(1 + exp(-|a|)), which
/// neither overflows nor needs clipping. `logits` holds a without its bias, shape (units, samples),
/// and is replaced by the derivative of the sum by a, which is z - x.
template <typename T>
double binary_cross_entropy(const ConstVectorRef<T>& bias, const ConstMatrixRef<T>& target,
                            MatrixRef<T> logits);

/// Result of a softmax cross-entropy over samples: sums, not means.
struct ClassificationSums {
  double loss = 0;    ///< Sum of -log p(label), in nats.
  double errors = 0;  ///< Samples whose largest logit is not at their label.
};

/// Softmax cross-entropy from logits (classes, samples), by the log-sum-exp with the largest
/// logit taken out. The logits are replaced by the derivative of the summed loss, p -
/// onehot(label).
template <typename T>
ClassificationSums softmax_cross_entropy(std::span<const std::uint16_t> labels,
                                         MatrixRef<T> logits);

/// The class of the largest logit of a sample, the first of equals.
template <typename T>
Index predicted_class(const ConstVectorRef<T>& logits);

}  // namespace sae
