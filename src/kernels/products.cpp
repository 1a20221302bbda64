#include "sae/kernels/products.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <cstdlib>
#include <string_view>

#include "onednn_products.hpp"
#include "sae/kernels/instructions.hpp"
#include "tile_products.hpp"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace sae {
namespace {

/// x in the type that Eigen multiplies fast: bfloat16 is widened to float.
template <typename T, typename Expression>
decltype(auto) as_eigen_multiplies(const Expression& x) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    return Matrix<float>(x.template cast<float>());
  } else {
    return (x);
  }
}

thread_local std::vector<ProductCall>* recorded = nullptr;

}  // namespace

ProductRecorder::ProductRecorder(std::vector<ProductCall>& calls) { recorded = &calls; }

ProductRecorder::~ProductRecorder() { recorded = nullptr; }

void record(const ProductCall& call) {
  if (recorded != nullptr) recorded->push_back(call);
}

template <typename T, typename R>
void multiply(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& x, ResultRef<R> result) {
  record<T, R>(ProductCall::Kind::kForward, w.rows(), w.cols(), x.cols());
  if constexpr (std::is_same_v<T, bfloat16>) {
    if (by_tiles()) return multiply_by_tiles<R>(w, x, result);
  }
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, R>(x, Transposed::kNo, w, Transposed::kNo, nullptr, result);
    }
  }
  if constexpr (std::is_same_v<T, R> && !std::is_same_v<T, bfloat16>) {
    result.noalias() = w * x;
  } else {
    result = (as_eigen_multiplies<T>(w) * as_eigen_multiplies<T>(x)).template cast<R>();
  }
}

template <typename T, typename R>
void multiply_transposed(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& y,
                         ResultRef<R> result) {
  record<T, R>(ProductCall::Kind::kTransposed, w.rows(), w.cols(), y.cols());
  if constexpr (std::is_same_v<T, bfloat16>) {
    if (by_tiles()) return multiply_transposed_by_tiles<R>(w, y, result);
  }
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, R>(y, Transposed::kNo, w, Transposed::kYes, nullptr, result);
    }
  }
  if constexpr (std::is_same_v<T, R> && !std::is_same_v<T, bfloat16>) {
    result.noalias() = w.transpose() * y;
  } else {
    result = (as_eigen_multiplies<T>(w).transpose() * as_eigen_multiplies<T>(y)).template cast<R>();
  }
}

template <typename T, typename R>
void multiply_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, ResultRef<R> result) {
  record<T, R>(ProductCall::Kind::kOuter, y.rows(), x.rows(), x.cols());
  if (x.cols() == 0) {
    result.setZero();
    return;
  }
  if constexpr (std::is_same_v<T, bfloat16>) {
    if (by_tiles()) return multiply_outer_by_tiles<R>(y, x, result);
  }
  if constexpr (kByOneDnn<T>) {
    if (by_onednn<T>()) {
      return onednn_multiply<T, R>(x, Transposed::kYes, y, Transposed::kNo, nullptr, result);
    }
  }
  if constexpr (std::is_same_v<T, R> && !std::is_same_v<T, bfloat16>) {
    result.noalias() = y * x.transpose();
  } else {
    result = (as_eigen_multiplies<T>(y) * as_eigen_multiplies<T>(x).transpose()).template cast<R>();
  }
}

bool has_native_bfloat16() {
  const char* refused = std::getenv("SAE_NO_BFLOAT16");
  if (refused != nullptr && std::string_view(refused) == "1") return false;
  return kHasOneDnn && __builtin_cpu_supports("avx512bf16") != 0;
}

bool may_use_tiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long kRequestPermission = 0x1023;  // Of a component of the processor's state.
  constexpr long kTileData = 18;
  return instruction_set() == "AVX-512 with AMX" &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
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
SAE_INSTANTIATE(float, float)
SAE_INSTANTIATE(double, double)
SAE_INSTANTIATE(bfloat16, bfloat16)
SAE_INSTANTIATE(bfloat16, float)
#undef SAE_INSTANTIATE

}  // namespace sae
