#include "sae/kernels/elementwise.hpp"

#include <cassert>

namespace sae {

template <typename T>
void add_bias_and_logistic(const ConstVectorRef<T>& bias, MatrixRef<T> x) {
  for (Index j = 0; j < x.cols(); ++j) x.col(j).array() = (x.col(j) + bias).array().logistic();
}

template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x) {
  x.colwise() += bias;
}

template <typename T>
void multiply_by_logistic_derivative(const ConstMatrixRef<T>& h, MatrixRef<T> delta) {
  delta.array() *= h.array() * (T(1) - h.array());
}

template <typename T>
double binary_cross_entropy(const ConstVectorRef<T>& bias, const ConstMatrixRef<T>& target,
                            MatrixRef<T> logits) {
  double loss = 0;
  for (Index j = 0; j < logits.cols(); ++j) {
    auto a = logits.col(j).array();
    const auto x = target.col(j).array();
    a += bias.array();
    // One rounding to double per element: a float sum of thousands of terms drifts.
    loss += (a.max(T(0)) - a * x + (-a.abs()).exp().log1p()).template cast<double>().sum();
    a = a.logistic() - x;
  }
  return loss;
}

template <typename T>
ClassificationSums softmax_cross_entropy(std::span<const std::uint16_t> labels,
                                         MatrixRef<T> logits) {
  assert(static_cast<Index>(labels.size()) == logits.cols());
  ClassificationSums sums;
  for (Index j = 0; j < logits.cols(); ++j) {
    auto a = logits.col(j).array();
    const Index label = labels[static_cast<std::size_t>(j)];
    if (predicted_class<T>(logits.col(j)) != label) sums.errors += 1;
    a -= a.maxCoeff();
    const T log_of_sum = std::log(a.exp().sum());
    sums.loss += static_cast<double>(log_of_sum - a(label));
    a = (a - log_of_sum).exp();
    a(label) -= T(1);
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

#define SAE_INSTANTIATE(T)                                                                    \
  template void add_bias_and_logistic<T>(const ConstVectorRef<T>&, MatrixRef<T>);             \
  template void add_bias<T>(const ConstVectorRef<T>&, MatrixRef<T>);                          \
  template void multiply_by_logistic_derivative<T>(const ConstMatrixRef<T>&, MatrixRef<T>);   \
  template double binary_cross_entropy<T>(const ConstVectorRef<T>&, const ConstMatrixRef<T>&, \
                                          MatrixRef<T>);                                      \
  template ClassificationSums softmax_cross_entropy<T>(std::span<const std::uint16_t>,        \
                                                       MatrixRef<T>);                         \
  template Index predicted_class<T>(const ConstVectorRef<T>&);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
#undef SAE_INSTANTIATE

}  // namespace sae
