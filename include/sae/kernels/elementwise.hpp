#pragma once

#include <cstdint>
#include <span>

#include "sae/kernels/products.hpp"

namespace sae {

// The elementwise functions of a classifier. T is float or double; sums over a minibatch are
// computed in double.

/// x (units, samples) = x + bias.
template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x);

/// Replaces the logits of one sample by the logarithms of its softmax. Subtracts the largest logit
/// first, so that nothing overflows.
template <typename T>
void log_softmax(VectorRef<T> logits);

/// Result of a softmax cross-entropy over samples: sums, not means.
struct ClassificationSums {
  double loss = 0;    ///< Sum of -log p(label), in nats.
  double errors = 0;  ///< Misclassified samples.
};

/// Softmax cross-entropy of logits (classes, samples). Replaces the logits by the derivative of the
/// summed loss, p - onehot(label). A sample with kNoLabel has no loss, no error and a derivative
/// of 0. A share `smoothing` of each label is divided equally among all classes (Szegedy et al.,
/// CVPR 2016).
template <typename T>
ClassificationSums softmax_cross_entropy(std::span<const std::uint16_t> labels, MatrixRef<T> logits,
                                         double smoothing = 0);

/// The class of the largest logit; on a tie the first.
template <typename T>
Index predicted_class(const ConstVectorRef<T>& logits);

}  // namespace sae
