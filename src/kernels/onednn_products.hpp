#pragma once

#include <string>

#include "sae/kernels/products.hpp"

namespace sae {

#ifdef SAE_HAS_ONEDNN
inline constexpr bool kHasOneDnn = true;
#else
inline constexpr bool kHasOneDnn = false;
#endif

/// Whether oneDNN can multiply T; it does not support double.
template <typename T>
constexpr bool kByOneDnn = kHasOneDnn && !std::is_same_v<T, double>;

/// Whether oneDNN multiplies T here; without instructions for it, its bfloat16 is slow or missing.
template <typename T>
bool by_onednn() {
  static const bool native = has_native_bfloat16();
  return kByOneDnn<T> && (!std::is_same_v<T, bfloat16> || native);
}

/// Records a product if a ProductRecorder lives.
void record(const ProductCall& call);
template <typename T, typename R>
void record(ProductCall::Kind kind, Index outputs, Index inputs, Index samples) {
  record(
      {kind, outputs, inputs, samples, std::is_same_v<T, bfloat16>, std::is_same_v<R, bfloat16>});
}

enum class Transposed { kNo, kYes };

/// result^T = a^T b^T, with a and b transposed once more on request. oneDNN takes our column-major
/// matrices as row-major transposes of shapes (k, m), (n, k) and (n, m). With a `bias` (n) the
/// result is logistic(a^T b^T + bias).
/// Throws: InternalError if oneDNN fails.
template <typename T, typename R>
void onednn_multiply(const ConstMatrixRef<T>& a, Transposed a_transposed,
                     const ConstMatrixRef<T>& b, Transposed b_transposed, const float* bias,
                     MatrixRef<R> result);

/// Whether products of float for so many outputs, without bias, go to oneDNN's sgemm, except by
/// transposed weights. With AVX-512 its matmul reads long columns as they lie; sgemm packs them.
/// With AVX2 both are one code.
bool onednn_packs(Index outputs);

/// Name and version.
std::string onednn_description();

}  // namespace sae
