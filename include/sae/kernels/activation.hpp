#pragma once

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// Maps a unit's weighted input a, bias included, to its value.
enum class Activation {
  kSigmoid,  ///< 1 / (1 + exp(-a)).
  kTanh,     ///< tanh(a).
  kRelu      ///< max(a, 0).
};

/// All activations with their names in settings and files, such as "sigmoid".
const Choices<Activation>& activation_kinds();

/// h = activation(a), element by element; h and a may be the same memory. T is float or double.
template <typename T>
void activate(Activation activation, const ConstMatrixRef<T>& a, MatrixRef<T> h);

/// h (outputs, samples) = activation(w x + bias). T is float, double or bfloat16.
template <typename T>
void multiply_and_activate(Activation activation, const ConstMatrixRef<T>& w,
                           const ConstMatrixRef<T>& x, const ConstVectorRef<Master<T>>& bias,
                           MatrixRef<T> h);

/// The chain rule: delta (units, samples) *= activation'(a), computed from h = activation(a).
/// Writes the gradient of the bias (units), the sum of the new delta over samples. T is float,
/// double or bfloat16; computes in Master<T>.
template <typename T>
void multiply_by_derivative(Activation activation, const ConstMatrixRef<T>& h, MatrixRef<T> delta,
                            VectorRef<Master<T>> bias_gradient);

}  // namespace sae
