#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

// The matrix products of a training step. W has shape (outputs, inputs), minibatches have one
// sample per column. Operands are float, double or bfloat16; sums are accumulated in Master<T>.
// oneDNN, if built in, multiplies float and bfloat16. Eigen multiplies the rest; it widens bfloat16
// to float first.

template <typename T>
using ConstMatrixRef = Eigen::Ref<const Matrix<T>, 0, Eigen::OuterStride<>>;
template <typename T>
using MatrixRef = Eigen::Ref<Matrix<T>, 0, Eigen::OuterStride<>>;
/// A MatrixRef from which T is not deduced.
template <typename T>
using ResultRef = std::type_identity_t<MatrixRef<T>>;
template <typename T>
using ConstVectorRef = Eigen::Ref<const Vector<T>>;
template <typename T>
using VectorRef = Eigen::Ref<Vector<T>>;

/// result (outputs, samples) = w (outputs, inputs) * x (inputs, samples). R is T or Master<T>.
template <typename T, typename R = T>
void multiply(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& x, ResultRef<R> result);

/// result (inputs, samples) = transpose of w (outputs, inputs) * y (outputs, samples).
template <typename T, typename R = T>
void multiply_transposed(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& y,
                         ResultRef<R> result);

/// result (outputs, inputs) = y (outputs, samples) * transpose of x (inputs, samples):
/// the sum over samples of their outer products; 0 if there is no sample.
template <typename T, typename R = T>
void multiply_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, ResultRef<R> result);

/// Kind, shape and types of a product that was computed.
struct ProductCall {
  enum class Kind { kForward, kTransposed, kOuter };

  Kind kind{};
  Index outputs = 0;
  Index inputs = 0;
  Index samples = 0;
  bool rounded_operands = false;  ///< bfloat16; else float or double.
  bool rounded_result = false;    ///< Likewise.
};

/// Appends to `calls` the products that this thread computes during its lifetime.
class ProductRecorder {
 public:
  explicit ProductRecorder(std::vector<ProductCall>& calls);
  ~ProductRecorder();
  ProductRecorder(const ProductRecorder&) = delete;
  ProductRecorder& operator=(const ProductRecorder&) = delete;
};

/// Whether the processor has bfloat16 instructions (AVX512-BF16 or AMX) that the products use.
/// False if the environment has SAE_NO_BFLOAT16=1.
bool has_native_bfloat16();

/// Sets the number of threads of every later product and update of this process. Before the first
/// call OMP_NUM_THREADS decides.
void set_product_threads(int threads);

/// Library and vector instructions that compute the products, for the start table.
std::string kernel_description();

}  // namespace sae
