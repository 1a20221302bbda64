#pragma once

#include <cstdint>
#include <span>

#include "sae/kernels/products.hpp"

namespace sae {

// The elementwise parts of a classifier. All are defined for float and double; sums over a
// minibatch are computed in double.

/// x (units, samples) = x + bias.
template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x);

/// Replaces the logits of one sample by the logarithms of its softmax, with the largest logit taken
/// out of the sum, so that nothing overflows.
template <typename T>
void log_softmax(VectorRef<T> logits);

/// Result of a softmax cross-entropy over samples: sums, not means.
struct ClassificationSums {
  double loss = 0;    ///< Sum of -log p(label), in nats.
  double errors = 0;  ///< Samples whose largest logit is not at their label.
};

/// Softmax cross-entropy from logits (classes, samples). The logits are replaced by the derivative
/// of the summed loss, p - onehot(label).
template <typename T>
ClassificationSums softmax_cross_entropy(std::span<const std::uint16_t> labels,
                                         MatrixRef<T> logits);

/// The class of the largest logit of a sample, the first of equals.
template <typename T>
Index predicted_class(const ConstVectorRef<T>& logits);

}  // namespace sae
