#pragma once

#include <span>
#include <vector>

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// How the weighted inputs z of a layer are normalised before its noise and activation.
enum class Normalization {
  kNone,
  kBatch,  ///< Each unit over the minibatch (Ioffe and Szegedy, ICML 2015).
  kLayer   ///< Each sample over the units (Ba, Kiros and Hinton, 2016).
};

/// All of them with their names in settings and files, such as "batch".
const Choices<Normalization>& normalization_kinds();

/// Added to variances.
inline constexpr double kNormalizationEpsilon = 1e-5;

// T is float or double; z has shape (units, samples). Sums are in double, over samples in their
// order.

/// sums[i] += the sum of row i of a, sums[units + i] += that of the products of a and b: with b = a
/// the moments of units, with a derivative and the normalised values what its way back needs.
template <typename T>
void add_row_sums(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& b, std::span<double> sums);

/// Mean and variance of each unit.
struct Moments {
  Vector<double> mean, variance;
};

/// Those of `count` samples, whose sums are those of add_row_sums(z, z).
Moments moments_of(std::span<const double> sums, double count);

/// z = (z - mean) * scale, each unit with its own.
template <typename T>
void normalize_rows(const Vector<T>& mean, const Vector<T>& scale, MatrixRef<T> z);

/// The chain rule through normalize_rows with the moments of `count` samples: from the derivative
/// by the normalised values to that by z, in place. `sums` are those of add_row_sums(delta,
/// normalized) over these samples.
template <typename T>
void backpropagate_rows(const ConstMatrixRef<T>& normalized, const Vector<T>& scale,
                        std::span<const double> sums, double count, MatrixRef<T> delta);

/// Each sample with mean 0 and variance 1 over its units; `scale` (samples) gets what it was
/// multiplied by. And the chain rule.
template <typename T>
void normalize_columns(MatrixRef<T> z, Vector<T>& scale);
template <typename T>
void backpropagate_columns(const ConstMatrixRef<T>& normalized, const Vector<T>& scale,
                           MatrixRef<T> delta);

}  // namespace sae
