#pragma once

#include <string>

#include "sae/core/types.hpp"

namespace sae {

// The matrix products of a training step. W has shape (outputs, inputs), minibatches have
// one sample per column. Defined for float and double.

template <typename T>
using ConstMatrixRef = Eigen::Ref<const Matrix<T>>;
template <typename T>
using MatrixRef = Eigen::Ref<Matrix<T>>;

/// result (outputs, samples) = w (outputs, inputs) * x (inputs, samples).
template <typename T>
void multiply(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& x, MatrixRef<T> result);

/// result (inputs, samples) = transpose of w (outputs, inputs) * y (outputs, samples).
template <typename T>
void multiply_transposed(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& y,
                         MatrixRef<T> result);

/// result (outputs, inputs) = y (outputs, samples) * transpose of x (inputs, samples):
/// the sum over samples of their outer products.
template <typename T>
void multiply_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, MatrixRef<T> result);

/// As multiply_outer, added to what result holds.
template <typename T>
void add_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, MatrixRef<T> result);

/// The library and vector instructions behind the products, for the start table.
std::string kernel_description();

}  // namespace sae
