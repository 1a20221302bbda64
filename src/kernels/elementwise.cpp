#include "sae/kernels/elementwise.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <vector>

#include "sae/kernels/bfloat16.hpp"

namespace sae {
namespace {

/// Rows that a thread takes at a time, through all columns: sums over columns and their rounding do
/// not depend on the number of threads.
constexpr Index kRows = 128;

Index row_blocks(Index rows) { return (rows + kRows - 1) / kRows; }

Range rows_of_block(Index block, Index rows) {
  return {block * kRows, std::min((block + 1) * kRows, rows)};
}

void store(float value, std::uint16_t& bits) { bits = rounded_bits(value); }
template <typename T>
void store(T value, T& element) {
  element = value;
}

}  // namespace

template <typename T>
void add_bias(const ConstVectorRef<T>& bias, MatrixRef<T> x) {
  x.colwise() += bias;
}

template <typename T>
void multiply_by_logistic_derivative(const ConstMatrixRef<T>& h, MatrixRef<T> delta,
                                     VectorRef<Master<T>> bias_gradient) {
  using M = Master<T>;
  bias_gradient.setZero();
  M* const sums = bias_gradient.data();
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < row_blocks(delta.rows()); ++block) {
    const Range rows = rows_of_block(block, delta.rows());
    for (Index j = 0; j < delta.cols(); ++j) {
      const auto* const units = bits_of(h.col(j).data());
      auto* const deltas = bits_of(delta.col(j).data());
      for (Index i = rows.begin; i < rows.end; ++i) {
        const M unit = widened(units[i]);
        const M result = widened(deltas[i]) * unit * (M(1) - unit);
        sums[i] += result;
        store(result, deltas[i]);
      }
    }
  }
}

/// The rows of one block.
template <typename T>
double binary_cross_entropy_of(Range rows, const ConstVectorRef<Master<T>>& bias,
                               const ConstMatrixRef<T>& target, MatrixRef<Master<T>> logits,
                               MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient) {
  using M = Master<T>;
  using Values = Eigen::Array<M, Eigen::Dynamic, 1, 0, kRows, 1>;
  Values x(rows.size());
  Values z(rows.size());
  double loss = 0;
  for (Index j = 0; j < logits.cols(); ++j) {
    auto a = logits.col(j).segment(rows.begin, rows.size()).array();
    a += bias.segment(rows.begin, rows.size()).array();
    const auto* const targets = bits_of(target.col(j).data()) + rows.begin;
    for (Index i = 0; i < x.size(); ++i) x(i) = widened(targets[i]);
    z = a.logistic();
    // log(1 + exp(-|a|)) is -log of the larger of z and 1 - z. One rounding to double per
    // column: a float sum of a whole minibatch drifts.
    loss += static_cast<double>((a.max(M(0)) - a * x - z.max(M(1) - z).log()).sum());
    z -= x;
    bias_gradient.segment(rows.begin, rows.size()).array() += z;
    auto* const deltas = bits_of(delta.col(j).data()) + rows.begin;
    for (Index i = 0; i < z.size(); ++i) store(z(i), deltas[i]);
  }
  return loss;
}

template <typename T>
double binary_cross_entropy(const ConstVectorRef<Master<T>>& bias, const ConstMatrixRef<T>& target,
                            MatrixRef<Master<T>> logits, MatrixRef<T> delta,
                            VectorRef<Master<T>> bias_gradient) {
  bias_gradient.setZero();
  std::vector<double> losses(static_cast<std::size_t>(row_blocks(logits.rows())));
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < row_blocks(logits.rows()); ++block) {
    losses[static_cast<std::size_t>(block)] = binary_cross_entropy_of<T>(
        rows_of_block(block, logits.rows()), bias, target, logits, delta, bias_gradient);
  }
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

template <typename T>
void log_softmax(VectorRef<T> logits) {
  logits.array() -= logits.maxCoeff();
  logits.array() -= std::log(logits.array().exp().sum());
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
    log_softmax<T>(logits.col(j));
    sums.loss -= static_cast<double>(a(label));
    a = a.exp();
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

#define SAE_INSTANTIATE(T)                                                                 \
  template void multiply_by_logistic_derivative<T>(const ConstMatrixRef<T>&, MatrixRef<T>, \
                                                   VectorRef<Master<T>>);                  \
  template double binary_cross_entropy<T>(const ConstVectorRef<Master<T>>&,                \
                                          const ConstMatrixRef<T>&, MatrixRef<Master<T>>,  \
                                          MatrixRef<T>, VectorRef<Master<T>>);
#define SAE_INSTANTIATE_MASTER(T)                                                      \
  template void add_bias<T>(const ConstVectorRef<T>&, MatrixRef<T>);                   \
  template void log_softmax<T>(VectorRef<T>);                                          \
  template ClassificationSums softmax_cross_entropy<T>(std::span<const std::uint16_t>, \
                                                       MatrixRef<T>);                  \
  template Index predicted_class<T>(const ConstVectorRef<T>&);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
SAE_INSTANTIATE_MASTER(float)
SAE_INSTANTIATE_MASTER(double)
#undef SAE_INSTANTIATE
#undef SAE_INSTANTIATE_MASTER

}  // namespace sae
