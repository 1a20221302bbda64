#include "sae/kernels/visible.hpp"

#include <numeric>
#include <stdexcept>

#include "row_blocks.hpp"
#include "sae/kernels/activation.hpp"

namespace sae {
namespace {

// A kind defines the values of logits a, the loss against targets x, and its derivative by a.

struct Bernoulli {
  template <typename Array>
  static auto values(const Array& a) {
    return a.logistic();
  }
  /// Writes the derivative to `delta`. log(1 + exp(-|a|)) is -log of the larger of z and 1 - z.
  template <typename Logits, typename Array>
  static auto loss(const Logits& a, const Array& x, Array& delta) {
    using M = typename Array::Scalar;
    delta = a.logistic();
    const M sum = (a.max(M(0)) - a * x - delta.max(M(1) - delta).log()).sum();
    delta -= x;
    return sum;
  }
};

struct Gaussian {
  template <typename Array>
  static auto values(const Array& a) {
    return a * typename Array::Scalar(1);
  }
  template <typename Logits, typename Array>
  static auto loss(const Logits& a, const Array& x, Array& delta) {
    delta = a - x;
    return delta.square().sum() / 2;
  }
};

template <typename Use>
auto with_functions_of(Visible visible, const Use& use) {
  switch (visible) {
    case Visible::kBernoulli:
      return use(Bernoulli{});
    case Visible::kGaussian:
      return use(Gaussian{});
  }
  throw std::logic_error("no such kind of visible units");
}

/// The rows of one block.
template <typename T, typename Kind>
double loss_of_rows(Kind kind, Range rows, const ConstVectorRef<Master<T>>& bias,
                    const ConstMatrixRef<T>& target, MatrixRef<Master<T>> logits,
                    MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient) {
  using M = Master<T>;
  using Values = Eigen::Array<M, Eigen::Dynamic, 1, 0, kRows, 1>;
  Values x(rows.size());
  Values derivative(rows.size());
  double loss = 0;
  for (Index j = 0; j < logits.cols(); ++j) {
    auto a = logits.col(j).segment(rows.begin, rows.size()).array();
    a += bias.segment(rows.begin, rows.size()).array();
    const auto* const targets = bits_of(target.col(j).data()) + rows.begin;
    for (Index i = 0; i < x.size(); ++i) x(i) = widened(targets[i]);
    // One rounding to double per column: a float sum of a whole minibatch drifts.
    loss += static_cast<double>(kind.loss(a, x, derivative));
    bias_gradient.segment(rows.begin, rows.size()).array() += derivative;
    auto* const deltas = bits_of(delta.col(j).data()) + rows.begin;
    for (Index i = 0; i < x.size(); ++i) store(derivative(i), deltas[i]);
  }
  return loss;
}

}  // namespace

const Choices<Visible>& visible_kinds() {
  static const Choices<Visible> kinds = {
      {"bernoulli", Visible::kBernoulli, "values in [0, 1], cross-entropy"},
      {"gaussian", Visible::kGaussian, "any values, squared error"}};
  return kinds;
}

template <typename T>
void visible_values(Visible visible, MatrixRef<T> a) {
  with_functions_of(visible, [&](auto kind) { a = kind.values(a.array()).matrix(); });
}

template <typename T>
void multiply_by_visible_derivative(Visible visible, const ConstMatrixRef<T>& values,
                                    MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient) {
  switch (visible) {
    case Visible::kBernoulli:
      return multiply_by_derivative<T>(Activation::kSigmoid, values, delta, bias_gradient);
    case Visible::kGaussian:
      bias_gradient = delta.template cast<Master<T>>().rowwise().sum();
      return;
  }
  throw std::logic_error("no such kind of visible units");
}

template <typename T>
double reconstruction_loss(Visible visible, const ConstVectorRef<Master<T>>& bias,
                           const ConstMatrixRef<T>& target, MatrixRef<Master<T>> logits,
                           MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient) {
  bias_gradient.setZero();
  std::vector<double> losses(static_cast<std::size_t>(row_blocks(logits.rows())));
  with_functions_of(visible, [&](auto kind) {
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < row_blocks(logits.rows()); ++block) {
      losses[static_cast<std::size_t>(block)] = loss_of_rows<T>(
          kind, rows_of_block(block, logits.rows()), bias, target, logits, delta, bias_gradient);
    }
  });
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

#define SAE_INSTANTIATE(T)                                                                         \
  template void multiply_by_visible_derivative<T>(Visible, const ConstMatrixRef<T>&, MatrixRef<T>, \
                                                  VectorRef<Master<T>>);                           \
  template double reconstruction_loss<T>(Visible, const ConstVectorRef<Master<T>>&,                \
                                         const ConstMatrixRef<T>&, MatrixRef<Master<T>>,           \
                                         MatrixRef<T>, VectorRef<Master<T>>);
#define SAE_INSTANTIATE_MASTER(T) template void visible_values<T>(Visible, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
SAE_INSTANTIATE_MASTER(float)
SAE_INSTANTIATE_MASTER(double)
#undef SAE_INSTANTIATE
#undef SAE_INSTANTIATE_MASTER

}  // namespace sae
