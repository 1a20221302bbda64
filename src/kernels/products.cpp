#include "sae/kernels/products.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <cstdlib>
#include <string_view>

#include "onednn_products.hpp"

namespace sae {
namespace {

/// Whether oneDNN can multiply T: it has no double.
template <typename T>
constexpr bool kByOneDnn = kHasOneDnn && !std::is_same_v<T, double>;

/// Whether it does here: without instructions for it, its bfloat16 is slow or missing.
template <typename T>
bool by_onednn() {
  static const bool native = has_native_bfloat16();
  return kByOneDnn<T> && (!std::is_same_v<T, bfloat16> || native);
}

/// T as Eigen multiplies it: it has no fast bfloat16.
template <typename T, typename Expression>
decltype(auto) widened(const Expression& x) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    return Matrix<float>(x.template cast<float>());
  } else {
    return (x);
  }
}

}  // namespace

template <typename T, typename R>
void multiply(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& x, ResultRef<R> result) {
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, R>(x, Transposed::kNo, w, Transposed::kNo, nullptr, result);
    }
  }
  if constexpr (std::is_same_v<T, R> && !std::is_same_v<T, bfloat16>) {
    result.noalias() = w * x;
  } else {
    result = (widened<T>(w) * widened<T>(x)).template cast<R>();
  }
}

template <typename T>
void multiply_add_logistic(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& x,
                           const ConstVectorRef<Master<T>>& bias, MatrixRef<T> result) {
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, T>(x, Transposed::kNo, w, Transposed::kNo, bias.data(), result);
    }
  }
  Matrix<Master<T>> logits(result.rows(), result.cols());
  multiply<T, Master<T>>(w, x, logits);
  logits.colwise() += bias;
  result = logits.array().logistic().matrix().template cast<T>();
}

template <typename T, typename R>
void multiply_transposed(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& y,
                         ResultRef<R> result) {
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, R>(y, Transposed::kNo, w, Transposed::kYes, nullptr, result);
    }
  }
  if constexpr (std::is_same_v<T, R> && !std::is_same_v<T, bfloat16>) {
    result.noalias() = w.transpose() * y;
  } else {
    result = (widened<T>(w).transpose() * widened<T>(y)).template cast<R>();
  }
}

template <typename T, typename R>
void multiply_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, ResultRef<R> result) {
  if (x.cols() == 0) {
    result.setZero();
    return;
  }
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, R>(x, Transposed::kYes, y, Transposed::kNo, nullptr, result);
    }
  }
  if constexpr (std::is_same_v<T, R> && !std::is_same_v<T, bfloat16>) {
    result.noalias() = y * x.transpose();
  } else {
    result = (widened<T>(y) * widened<T>(x).transpose()).template cast<R>();
  }
}

bool has_native_bfloat16() {
  const char* refused = std::getenv("SAE_NO_BFLOAT16");
  if (refused != nullptr && std::string_view(refused) == "1") return false;
  return kHasOneDnn && __builtin_cpu_supports("avx512bf16") != 0;
}

void set_product_threads(int threads) { omp_set_num_threads(threads); }

std::string kernel_description() {
  const std::string eigen =
      fmt::format("Eigen {}.{}.{} ({})", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                  EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse());
  return kHasOneDnn ? fmt::format("{}, {}", onednn_description(), eigen) : eigen;
}

#define SAE_INSTANTIATE(T, R)                                                                     \
  template void multiply<T, R>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&, ResultRef<R>); \
  template void multiply_transposed<T, R>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,     \
                                          ResultRef<R>);                                          \
  template void multiply_outer<T, R>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,          \
                                     ResultRef<R>);
#define SAE_INSTANTIATE_LOGISTIC(T)                                                          \
  template void multiply_add_logistic<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&, \
                                         const ConstVectorRef<Master<T>>&, MatrixRef<T>);
SAE_INSTANTIATE(float, float)
SAE_INSTANTIATE(double, double)
SAE_INSTANTIATE(bfloat16, bfloat16)
SAE_INSTANTIATE(bfloat16, float)
SAE_INSTANTIATE_LOGISTIC(float)
SAE_INSTANTIATE_LOGISTIC(double)
SAE_INSTANTIATE_LOGISTIC(bfloat16)
#undef SAE_INSTANTIATE
#undef SAE_INSTANTIATE_LOGISTIC

}  // namespace sae
