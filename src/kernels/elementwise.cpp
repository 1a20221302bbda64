#include "sae/kernels/elementwise.hpp"

#include <cassert>
#include <cmath>

namespace sae {
template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x) {
  x.colwise() += bias;
}

template <typename T>
void log_softmax(VectorRef<T> logits) {
  logits.array() -= logits.maxCoeff();
  logits.array() -= std::log(logits.array().exp().sum());
}

template <typename T>
ClassificationSums softmax_cross_entropy(std::span<const std::uint16_t> labels, MatrixRef<T> logits,
                                         double smoothing) {
  assert(static_cast<Index>(labels.size()) == logits.cols());
  ClassificationSums sums;
  for (Index j = 0; j < logits.cols(); ++j) {
    auto a = logits.col(j).array();
    const Index label = labels[static_cast<std::size_t>(j)];
    if (label == kNoLabel) {
      a = T(0);
      continue;
    }
    if (predicted_class<T>(logits.col(j)) != label) sums.errors += 1;
    log_softmax<T>(logits.col(j));
    sums.loss -= (1 - smoothing) * static_cast<double>(a(label));
    if (smoothing > 0) sums.loss -= smoothing * a.template cast<double>().mean();
    a = a.exp();
    a(label) -= static_cast<T>(1 - smoothing);
    if (smoothing > 0) a -= static_cast<T>(smoothing / static_cast<double>(a.size()));
  }
  return sums;
}

template <typename T>
Index predicted_class(const ConstVectorRef<T>& logits) {
  Index best = 0;
  for (Index k = 1; k < logits.size(); ++k) {
    if (logits(k) > logits(best)) best = k;
  }
  return best;
}

#define SAE_INSTANTIATE(T)                                                             \
  template void add_bias<T>(const ConstVectorRef<T>&, MatrixRef<T>);                   \
  template void log_softmax<T>(VectorRef<T>);                                          \
  template ClassificationSums softmax_cross_entropy<T>(std::span<const std::uint16_t>, \
                                                       MatrixRef<T>, double);          \
  template Index predicted_class<T>(const ConstVectorRef<T>&);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
#undef SAE_INSTANTIATE

}  // namespace sae
