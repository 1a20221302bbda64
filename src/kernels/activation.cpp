#include "sae/kernels/activation.hpp"

#include <numbers>
#include <stdexcept>

#include "onednn_products.hpp"
#include "row_blocks.hpp"
#include "tile_products.hpp"

namespace sae {
namespace {

// An activation is a function and its derivative, in terms of the function's value or, where that
// does not suffice, of its argument.

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

struct Gelu {
  template <typename Array>
  static auto inner(const Array& a) {
    using T = typename Array::Scalar;
    return (T(kRoot) * (a + T(kCubic) * a.cube())).tanh();
  }
  template <typename Array>
  static auto value(const Array& a) {
    using T = typename Array::Scalar;
    return (T(0.5) * a * (inner(a) + T(1))).eval();
  }
  template <typename Array>
  static auto derivative(const Array& a) {
    using T = typename Array::Scalar;
    const auto t = inner(a).eval();
    return (T(0.5) * (t + T(1)) +
            T(0.5 * kRoot) * a * (T(1) - t.square()) * (T(1) + T(3 * kCubic) * a.square()))
        .eval();
  }

  static constexpr double kRoot = 0.79788456080286536;  // The square root of 2 / pi.
  static constexpr double kCubic = 0.044715;
};

template <typename Kind>
constexpr bool kNeedsInputs = requires(const Eigen::ArrayXf& a) {
  Kind::derivative(a);
};

template <typename Use>
auto with_functions_of(Activation activation, const Use& use) {
  switch (activation) {
    case Activation::kSigmoid:
      return use(Sigmoid{});
    case Activation::kTanh:
      return use(Tanh{});
    case Activation::kRelu:
      return use(Relu{});
    case Activation::kGelu:
      return use(Gelu{});
  }
  throw std::logic_error("no such activation");
}

/// The rows of one block.
template <typename T, typename Kind>
void multiply_by_derivative_of(Kind /*kind*/, Range rows, const ConstMatrixRef<T>& kept,
                               MatrixRef<T> delta, Master<T>* sums) {
  using M = Master<T>;
  for (Index j = 0; j < delta.cols(); ++j) {
    if constexpr (kNeedsInputs<Kind>) {
      using Block = Eigen::Array<M, Eigen::Dynamic, 1, 0, kRows, 1>;
      const Block inputs = kept.col(j).segment(rows.begin, rows.size()).template cast<M>();
      auto deltas = delta.col(j).segment(rows.begin, rows.size());
      const Block result = deltas.template cast<M>().array() * Kind::derivative(inputs);
      Eigen::Map<Block>(sums + rows.begin, rows.size()) += result;
      deltas = result.matrix().template cast<T>();
    } else {
      const auto* const units = bits_of(kept.col(j).data());
      auto* const deltas = bits_of(delta.col(j).data());
      for (Index i = rows.begin; i < rows.end; ++i) {
        const M result = Kind::times_derivative(M(widened(deltas[i])), M(widened(units[i])));
        sums[i] += result;
        store(result, deltas[i]);
      }
    }
  }
}

}  // namespace

const Choices<Activation>& activation_kinds() {
  static const Choices<Activation> kinds = {{"sigmoid", Activation::kSigmoid},
                                            {"tanh", Activation::kTanh},
                                            {"relu", Activation::kRelu},
                                            {"gelu", Activation::kGelu}};
  return kinds;
}

double suitable_initial_scale(Activation activation) {
  switch (activation) {
    case Activation::kSigmoid:
      return 4;
    case Activation::kTanh:
      return 1;
    case Activation::kRelu:
    case Activation::kGelu:
      break;
  }
  return std::numbers::sqrt2;
}

bool derivative_needs_inputs(Activation activation) {
  return with_functions_of(activation,
                           []<typename Kind>(Kind /*kind*/) { return kNeedsInputs<Kind>; });
}

template <typename T>
void activate(Activation activation, const ConstMatrixRef<T>& a, MatrixRef<T> h) {
  with_functions_of(activation, [&](auto kind) { h = kind.value(a.array()).matrix(); });
}

template <typename T>
void multiply_and_activate(Activation activation, const ConstMatrixRef<T>& w,
                           const ConstMatrixRef<T>& x, const ConstVectorRef<Master<T>>& bias,
                           MatrixRef<T> h, Matrix<T>& inputs) {
  if constexpr (kByOneDnn<T>) {
    const bool fused = std::is_same_v<T, bfloat16> ? !by_tiles() : !onednn_packs(w.rows());
    if (activation == Activation::kSigmoid && fused && by_onednn<T>()) {
      record<T, T>(ProductCall::Kind::kForward, w.rows(), w.cols(), x.cols());
      return onednn_multiply<T, T>(x, Transposed::kNo, w, Transposed::kNo, bias.data(), h);
    }
  }
  Matrix<Master<T>> logits(h.rows(), h.cols());
  multiply<T, Master<T>>(w, x, logits);
  const bool keeps_inputs = derivative_needs_inputs(activation);
  if (keeps_inputs) inputs.resize(h.rows(), h.cols());
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < h.cols(); ++j) {
    auto a = logits.col(j);
    a += bias;
    if (keeps_inputs) inputs.col(j) = a.template cast<T>();
    activate<Master<T>>(activation, a, a);
    h.col(j) = a.template cast<T>();
  }
}

template <typename T>
void multiply_by_derivative(Activation activation, const ConstMatrixRef<T>& kept,
                            MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient) {
  bias_gradient.setZero();
  Master<T>* const sums = bias_gradient.data();
  with_functions_of(activation, [&](auto kind) {
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < row_blocks(delta.rows()); ++block) {
      multiply_by_derivative_of<T>(kind, rows_of_block(block, delta.rows()), kept, delta, sums);
    }
  });
}

#define SAE_INSTANTIATE(T)                                                                    \
  template void multiply_and_activate<T>(                                                     \
      Activation, const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,                         \
      const ConstVectorRef<Master<T>>&, MatrixRef<T>, Matrix<T>&);                            \
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
