#pragma once

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// What visible units are: how they follow from their logits a, and the loss of a reconstruction.
enum class Visible {
  kBernoulli  ///< logistic(a), and the binary cross-entropy of values in [0, 1].
};

/// All kinds with their names in settings and files, such as "bernoulli".
const Choices<Visible>& visible_kinds();

/// Replaces logits a (units, samples), complete with their bias, by the units' values. Defined for
/// float and double.
template <typename T>
void visible_values(Visible visible, MatrixRef<T> a);

/// Loss of reconstructions, summed over units and samples. Of bernoulli units:
/// -[x log z + (1 - x) log(1 - z)] with z = logistic(a), from logits in the form
/// max(a, 0) - a x + log(1 + exp(-|a|)), which neither overflows nor needs clipping. `logits` holds
/// a without its bias, shape (units, samples), and is overwritten. Writes the derivative of the sum
/// by a, z - x, to delta, and its sum over samples to bias_gradient (units). delta and logits may
/// be the same memory. T is float, double or bfloat16; elements are computed in Master<T>, the sum
/// in double.
template <typename T>
double reconstruction_loss(Visible visible, const ConstVectorRef<Master<T>>& bias,
                           const ConstMatrixRef<T>& target, MatrixRef<Master<T>> logits,
                           MatrixRef<T> delta, VectorRef<Master<T>> bias_gradient);

}  // namespace sae
