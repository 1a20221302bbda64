#pragma once

#include "sae/kernels/products.hpp"

namespace sae {

/// Parameters of a combinator per unit.
inline constexpr Index kCombinatorParameters = 10;

// The combinator of a decoder with lateral connections (Rasmus et al., 'Semi-supervised learning
// with ladder networks', NIPS 2015): from the noisy values z beside it and the projection u from
// above, both (units, samples), it estimates the clean ones,
//   (z - mu(u)) v(u) + mu(u),  mu(u) = a1 s(a2 u + a3) + a4 u + a5,
//                              v(u) = a6 s(a7 u + a8) + a9 u + a10,
// with s the logistic function. a has shape (units, 10). T is float or double.

/// The parameters at the start: mu and v are s(u) times 0, with slopes a2 = a7 = 1.
template <typename T>
void initialize_combinator(MatrixRef<T> a);

template <typename T>
void combine(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& z, const ConstMatrixRef<T>& u,
             MatrixRef<T> combined);

/// The chain rule. `delta`, the derivative by the combined values, becomes that by u; `z_delta`
/// gets that by z, `a_gradient` (units, 10) that by the parameters, summed over samples.
template <typename T>
void backpropagate_combinator(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& z,
                              const ConstMatrixRef<T>& u, MatrixRef<T> delta, MatrixRef<T> z_delta,
                              MatrixRef<T> a_gradient);

}  // namespace sae
