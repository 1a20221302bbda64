#pragma once

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// What a unit makes of the sum of its weighted inputs and its bias.
enum class Activation {
  kSigmoid  ///< 1 / (1 + exp(-a)).
};

/// All activations with their names in settings and files, such as "sigmoid".
const Choices<Activation>& activation_kinds();

/// h = activation(a), element by element; `h` may be the same memory. Defined for float and double.
template <typename T>
void activate(Activation activation, const ConstMatrixRef<T>& a, MatrixRef<T> h);

/// h (outputs, samples) = activation(w x + bias). T is float, double or bfloat16.
template <typename T>
void multiply_and_activate(Activation activation, const ConstMatrixRef<T>& w,
                           const ConstMatrixRef<T>& x, const ConstVectorRef<Master<T>>& bias,
                           MatrixRef<T> h);

/// delta (units, samples) = delta * activation'(a), from h = activation(a): the chain rule. Writes
/// the sum of the new delta over samples, which is the gradient of the bias, to bias_gradient
/// (units). T is float, double or bfloat16; computes in Master<T>.
template <typename T>
void multiply_by_derivative(Activation activation, const ConstMatrixRef<T>& h, MatrixRef<T> delta,
                            VectorRef<Master<T>> bias_gradient);

}  // namespace sae
