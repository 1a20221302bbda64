#include "sae/kernels/activation.hpp"

#include <stdexcept>

#include "onednn_products.hpp"
#include "row_blocks.hpp"

namespace sae {
namespace {

// An activation is a function and its derivative in terms of the function's value.

struct Sigmoid {
  template <typename Array>
  static auto value(const Array& a) {
    return a.logistic();
  }
  template <typename T>
  static T times_derivative(T delta, T h) {
    return delta * h * (T(1) - h);
  }
};

struct Tanh {
  template <typename Array>
  static auto value(const Array& a) {
    return a.tanh();
  }
  template <typename T>
  static T times_derivative(T delta, T h) {
    return delta * (T(1) - h * h);
  }
};

struct Relu {
  template <typename Array>
  static auto value(const Array& a) {
    return a.max(typename Array::Scalar(0));
  }
  template <typename T>
  static T times_derivative(T delta, T h) {
    return h > T(0) ? delta : T(0);
  }
};

template <typename Use>
void with_functions_of(Activation activation, const Use& use) {
  switch (activation) {
    case Activation::kSigmoid:
      return use(Sigmoid{});
    case Activation::kTanh:
      return use(Tanh{});
    case Activation::kRelu:
      return use(Relu{});
  }
  throw std::logic_error("no such activation");
}

/// The rows of one block.
template <typename T, typename Kind>
void multiply_by_derivative_of(Kind /*kind*/, Range rows, const ConstMatrixRef<T>& h,
                               MatrixRef<T> delta, Master<T>* sums) {
  using M = Master<T>;
  for (Index j = 0; j < delta.cols(); ++j) {
    const auto* const units = bits_of(h.col(j).data());
    auto* const deltas = bits_of(delta.col(j).data());
    for (Index i = rows.begin; i < rows.end; ++i) {
      const M result = Kind::times_derivative(M(widened(deltas[i])), M(widened(units[i])));
      sums[i] += result;
      store(result, deltas[i]);
    }
  }
}

}  // namespace

const Choices<Activation>& activation_kinds() {
  static const Choices<Activation> kinds = {
      {"sigmoid", Activation::kSigmoid}, {"tanh", Activation::kTanh}, {"relu", Activation::kRelu}};
  return kinds;
}

template <typename T>
void activate(Activation activation, const ConstMatrixRef<T>& a, MatrixRef<T> h) {
  with_functions_of(activation, [&](auto kind) { h = kind.value(a.array()).matrix(); });
}

template <typename T>
void multiply_and_activate(Activation activation, const ConstMatrixRef<T>& w,
                           const ConstMatrixRef<T>& x, const ConstVectorRef<Master<T>>& bias,
                           MatrixRef<T> h) {
  if constexpr (kByOneDnn<T>) {
    if (activation == Activation::kSigmoid && by_onednn<T>()) {
      record<T, T>(ProductCall::Kind::kForward, w.rows(), w.cols(), x.cols());
      return onednn_multiply<T, T>(x, Transposed::kNo, w, Transposed::kNo, bias.data(), h);
    }
  }
  Matrix<Master<T>> logits(h.rows(), h.cols());
  multiply<T, Master<T>>(w, x, logits);
  logits.colwise() += bias;
  activate<Master<T>>(activation, logits, logits);
  h = logits.template cast<T>();
}

template <typename T>
void multiply_by_derivative(Activation activation, const ConstMatrixRef<T>& h, MatrixRef<T> delta,
                            VectorRef<Master<T>> bias_gradient) {
  bias_gradient.setZero();
  Master<T>* const sums = bias_gradient.data();
  with_functions_of(activation, [&](auto kind) {
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < row_blocks(delta.rows()); ++block) {
      multiply_by_derivative_of<T>(kind, rows_of_block(block, delta.rows()), h, delta, sums);
    }
  });
}

#define SAE_INSTANTIATE(T)                                                                    \
  template void multiply_and_activate<T>(Activation, const ConstMatrixRef<T>&,                \
                                         const ConstMatrixRef<T>&,                            \
                                         const ConstVectorRef<Master<T>>&, MatrixRef<T>);     \
  template void multiply_by_derivative<T>(Activation, const ConstMatrixRef<T>&, MatrixRef<T>, \
                                          VectorRef<Master<T>>);
#define SAE_INSTANTIATE_MASTER(T) \
  template void activate<T>(Activation, const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
SAE_INSTANTIATE_MASTER(float)
SAE_INSTANTIATE_MASTER(double)
#undef SAE_INSTANTIATE
#undef SAE_INSTANTIATE_MASTER

}  // namespace sae
