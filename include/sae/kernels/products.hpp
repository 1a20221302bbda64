#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

// The matrix products of a training step. W has shape (outputs, inputs), minibatches have
// one sample per column. Operands are float, double or bfloat16; sums are accumulated in
// Master<T>. Products of float and bfloat16 are oneDNN's where it was built in, else Eigen's; those
// of double are Eigen's. Eigen widens bfloat16 to float first.

template <typename T>
using ConstMatrixRef = Eigen::Ref<const Matrix<T>, 0, Eigen::OuterStride<>>;
template <typename T>
using MatrixRef = Eigen::Ref<Matrix<T>, 0, Eigen::OuterStride<>>;
/// As MatrixRef, where the compiler shall not deduce T from it.
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

/// A product that was done: its kind, shape and types.
struct ProductCall {
  enum class Kind { kForward, kTransposed, kOuter };

  Kind kind{};
  Index outputs = 0;
  Index inputs = 0;
  Index samples = 0;
  bool rounded_operands = false;  ///< In bfloat16; else in float or double.
  bool rounded_result = false;
};

/// While it lives, the products that this thread does are listed.
class ProductRecorder {
 public:
  explicit ProductRecorder(std::vector<ProductCall>& calls);
  ~ProductRecorder();
  ProductRecorder(const ProductRecorder&) = delete;
  ProductRecorder& operator=(const ProductRecorder&) = delete;
};

/// Whether the processor multiplies bfloat16 by instructions of its own (AVX512-BF16 or AMX) and
/// the library behind the products uses them. Not so if the environment has SAE_NO_BFLOAT16=1.
bool has_native_bfloat16();

/// Threads that each product and update of this process uses from now on; before the first call as
/// OMP_NUM_THREADS says.
void set_product_threads(int threads);

/// The library and vector instructions behind the products, for the start table.
std::string kernel_description();

}  // namespace sae
