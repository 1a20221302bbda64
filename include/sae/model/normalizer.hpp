#pragma once

#include <vector>

#include "sae/kernels/normalization.hpp"
#include "sae/model/gradient_sink.hpp"

namespace sae {

/// Samples of a minibatch that are normalised together.
struct SampleGroup {
  Range columns;            ///< Of this part of the minibatch.
  double global_count = 0;  ///< Of the whole minibatch.
};
using SampleGroups = std::vector<SampleGroup>;

/// Normalises the values of a layer and keeps what the way back needs. T is float or double.
template <typename T>
class Normalizer {
 public:
  /// z (units, samples), in place.
  void normalize(Normalization kind, const SampleGroups& groups, MatrixRef<T> z,
                 GradientSink<T>& sums);

  /// The chain rule: `delta`, the derivative by the normalised values of the last call, becomes
  /// that by z, in place.
  void backpropagate(const ConstMatrixRef<T>& normalized, MatrixRef<T> delta,
                     GradientSink<T>& sums);

 private:
  void sum_up(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& b, GradientSink<T>& sums);
  std::span<double> sums_of(std::size_t group, Index units);

  Normalization kind_{};
  SampleGroups groups_;
  std::vector<Vector<T>> scales_;  ///< By group; of kLayer one, by sample.
  std::vector<double> sums_;
};

}  // namespace sae
