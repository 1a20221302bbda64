#pragma once

#include <string>

#include "sae/kernels/products.hpp"

namespace sae {

#ifdef SAE_HAS_ONEDNN
inline constexpr bool kHasOneDnn = true;
#else
inline constexpr bool kHasOneDnn = false;
#endif

enum class Transposed { kNo, kYes };

/// result^T = a^T b^T, where a and b count as transposed once more on request. A matrix in columns
/// is its transpose in rows, which is how oneDNN sees it: shapes (k, m), (n, k) and (n, m). With a
/// `bias` (n) the result is logistic(a^T b^T + bias).
/// Throws: InternalError if oneDNN fails.
template <typename T, typename R>
void onednn_multiply(const ConstMatrixRef<T>& a, Transposed a_transposed,
                     const ConstMatrixRef<T>& b, Transposed b_transposed, const float* bias,
                     MatrixRef<R> result);

/// Name and version.
std::string onednn_description();

}  // namespace sae
