#pragma once

#include <utility>

#include "sae/comm/communicator.hpp"
#include "sae/core/choices.hpp"
#include "sae/data/shard.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

enum class ScalingKind {
  kNone,
  kStandard,  ///< (x - mean) / standard deviation.
  kMinMax,    ///< (x - min) / (max - min).
  kRankGauss  ///< The quantile of the normal distribution at the rank of x.
};

/// All kinds with their names in settings and files, such as "min-max".
const Choices<ScalingKind>& scaling_kinds();

/// How values of samples become inputs of the model: a function of each feature, fitted to the
/// training samples. A constant feature becomes 0.
struct Scaling {
  ScalingKind kind = ScalingKind::kNone;
  /// kStandard and kMinMax: (x - offset) * factor, by feature.
  Vector<float> offset = {}, factor = {};
  /// kRankGauss: the piecewise linear function through (values, normal), a feature per column;
  /// constant outside. The values of a column rise; unused rows at its end repeat the largest
  /// float.
  Matrix<float> values = {}, normal = {};

  bool is_used() const { return kind != ScalingKind::kNone; }
};

inline constexpr Index kMostKnots = 256;  ///< Rows of Scaling::values.

/// Of kRankGauss: knots of a feature, at least 1, without the rows that fill up its column.
Index knots_of(const Scaling& scaling, Index feature);

/// Scales x (features, samples) in place.
void scale(const Scaling& scaling, MatrixRef<float> x);
/// The inverse, up to rounding; of kRankGauss within the range of the training samples.
void unscale(const Scaling& scaling, MatrixRef<float> x);

/// The shard with scaled values, as float32.
Shard scaled(Shard shard, const Scaling& scaling);

/// Least and largest value of all samples of a sharded set; (0, 0) of an empty one. Collective.
std::pair<float, float> range_of(const Shard& shard, Communicator& comm);

/// Fits a scaling to a sharded set. Sums run through the samples in their order, from rank to rank,
/// and quantiles are those of at most 20,000 samples in even steps, so any number of ranks gives
/// the same bits.
/// Collective: all ranks get the same result.
Scaling fit_scaling(ScalingKind kind, const Shard& shard, Communicator& comm);

/// Rank 0's scaling, on every rank. Collective.
void broadcast(Scaling& scaling, Communicator& comm);

}  // namespace sae
