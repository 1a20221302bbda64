#pragma once

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// Maps a unit's weighted input a, bias included, to its value.
enum class Activation {
  kSigmoid,  ///< 1 / (1 + exp(-a)).
  kTanh,     ///< tanh(a).
  kRelu,     ///< max(a, 0).
  /// a (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3))) / 2 (Hendrycks and Gimpel, 'Gaussian error
  /// linear units', arXiv 1606.08415): within 0.0005 of a times the normal distribution function of
  /// a.
  kGelu
};

/// All activations with their names in settings and files, such as "sigmoid".
const Choices<Activation>& activation_kinds();

/// Scale of initial weights that suits units of this activation; see initialize_parameters(). 4 for
/// sigmoid and 1 for tanh (Glorot and Bengio, AISTATS 2010), the square root of 2 for the others
/// (He et al., ICCV 2015, where a layer has as many inputs as outputs).
double suitable_initial_scale(Activation activation);

/// Whether the derivative does not follow from the value of a unit, but from its weighted input.
bool derivative_needs_inputs(Activation activation);

/// h = activation(a), element by element; h and a may be the same memory. T is float or double.
template <typename T>
void activate(Activation activation, const ConstMatrixRef<T>& a, MatrixRef<T> h);

/// h (outputs, samples) = activation(w x + bias). Where its derivative needs w x + bias, `inputs`
/// becomes that. T is float, double or bfloat16.
template <typename T>
void multiply_and_activate(Activation activation, const ConstMatrixRef<T>& w,
                           const ConstMatrixRef<T>& x, const ConstVectorRef<Master<T>>& bias,
                           MatrixRef<T> h, Matrix<T>& inputs);

/// The chain rule: delta (units, samples) *= activation'(a), computed from h = activation(a), or
/// from a itself where the derivative needs that: `kept` is the one or the other.
/// Writes the gradient of the bias (units), the sum of the new delta over samples. T is float,
/// double or bfloat16; computes in Master<T>.
template <typename T>
void multiply_by_derivative(Activation activation, const ConstMatrixRef<T>& kept,
                            MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient);

/// What multiply_by_derivative() computes from: h, or where the derivative needs them the inputs.
template <typename T>
ConstMatrixRef<T> kept_of(Activation activation, const ConstMatrixRef<T>& h,
                          const ConstMatrixRef<T>& inputs) {
  return derivative_needs_inputs(activation) ? inputs : h;
}

}  // namespace sae
