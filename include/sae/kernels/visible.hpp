#pragma once

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// Kind of visible units: their values as a function of the logits a, and their reconstruction
/// loss.
enum class Visible {
  kBernoulli,  ///< logistic(a); binary cross-entropy of values in [0, 1].
  kGaussian    ///< a; half the squared error of any values.
};

/// All kinds with their names in settings and files, such as "bernoulli".
const Choices<Visible>& visible_kinds();

/// Replaces logits a (units, samples), bias included, by the units' values. T is float or double.
template <typename T>
void visible_values(Visible visible, MatrixRef<T> a);

/// The chain rule: delta (units, samples) *= the derivative of the values by their logits, computed
/// from the values. Writes the gradient of the bias (units), the sum of the new delta over samples.
/// T is float, double or bfloat16.
template <typename T>
void multiply_by_visible_derivative(Visible visible, const ConstMatrixRef<T>& values,
                                    MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient);

/// Reconstruction loss of values z against targets x, summed over units and samples. For Bernoulli
/// units it is -[x log z + (1 - x) log(1 - z)] with z = logistic(a), computed as max(a, 0) - a x +
/// log(1 + exp(-|a|)), which neither overflows nor needs clipping; for Gaussian units (z - x)^2 / 2
/// with z = a, their negative log-likelihood at variance 1 up to a constant. `logits` holds a
/// without bias, shape (units, samples), and is overwritten. Writes the derivative by a, z - x, to
/// delta and its sum over samples to bias_gradient (units). delta and logits may be the same
/// memory. T is float, double or bfloat16; elements are computed in Master<T>, the sum in double.
template <typename T>
double reconstruction_loss(Visible visible, const ConstVectorRef<Master<T>>& bias,
                           const ConstMatrixRef<T>& target, MatrixRef<Master<T>> logits,
                           MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient);

}  // namespace sae
