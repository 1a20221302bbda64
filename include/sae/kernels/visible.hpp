#pragma once

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// Kind of visible units: their values as a function of the logits a, and their reconstruction
/// loss.
enum class Visible {
  kBernoulli  ///< logistic(a); binary cross-entropy of values in [0, 1].
};

/// All kinds with their names in settings and files, such as "bernoulli".
const Choices<Visible>& visible_kinds();

/// Replaces logits a (units, samples), bias included, by the units' values. T is float or double.
template <typename T>
void visible_values(Visible visible, MatrixRef<T> a);

/// Reconstruction loss, summed over units and samples. For Bernoulli units it is -[x log z + (1 -
/// x) log(1 - z)] with z = logistic(a), computed as max(a, 0) - a x + log(1 + exp(-|a|)), which
/// neither overflows nor needs clipping. `logits` holds a without bias, shape (units, samples), and
/// is overwritten. Writes the derivative by a, z - x, to delta and its sum over samples to
/// bias_gradient (units). delta and logits may be the same memory. T is float, double or bfloat16;
/// elements are computed in Master<T>, the sum in double.
template <typename T>
double reconstruction_loss(Visible visible, const ConstVectorRef<Master<T>>& bias,
                           const ConstMatrixRef<T>& target, MatrixRef<Master<T>> logits,
                           MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient);

}  // namespace sae
