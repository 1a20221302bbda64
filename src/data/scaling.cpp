#include "sae/data/scaling.hpp"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sae {
namespace {

using Values = Vector<double>;

/// Passes `state` through all ranks in their order, each of which changes it; all get the last.
/// Collective.
template <typename Action>
void in_rank_order(Values& state, Communicator& comm, const Action& action) {
  const auto bytes =
      std::as_writable_bytes(std::span(state.data(), static_cast<std::size_t>(state.size())));
  if (comm.rank() > 0) comm.receive(bytes, comm.rank() - 1);
  action();
  if (comm.rank() + 1 < comm.size()) comm.send(bytes, comm.rank() + 1);
  comm.broadcast(bytes, comm.size() - 1);
}

/// Calls `action` with the values of each of this rank's samples, in order.
template <typename Action>
void for_each_sample(const Shard& shard, const Action& action) {
  Vector<float> x(shard.format().features);
  for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
    decode_pixels(shard.format(), shard.record(sample),
                  {x.data(), static_cast<std::size_t>(x.size())});
    action(x);
  }
}

/// 1 / width, or 1 where the width is too small to divide by.
Vector<float> inverse_of(const Values& widths) {
  return widths.unaryExpr([](double width) {
    const auto inverse = static_cast<float>(1 / width);
    return width > 0 && std::isfinite(inverse) ? inverse : 1.0f;
  });
}

Scaling fit_standard(const Shard& shard, Communicator& comm) {
  const Index features = shard.format().features;
  const auto samples = static_cast<double>(std::max<Index>(shard.set_size(), 1));
  Values mean = Values::Zero(features);
  in_rank_order(mean, comm, [&] {
    for_each_sample(shard, [&](const Vector<float>& x) { mean += x.cast<double>(); });
  });
  mean /= samples;
  Scaling result{.kind = ScalingKind::kStandard, .offset = mean.cast<float>()};
  // About the offset as it is stored: a constant feature has no variance.
  const Values offset = result.offset.cast<double>();
  Values variance = Values::Zero(features);
  in_rank_order(variance, comm, [&] {
    for_each_sample(shard, [&](const Vector<float>& x) {
      variance.array() += (x.cast<double>() - offset).array().square();
    });
  });
  result.factor = inverse_of((variance / samples).cwiseSqrt());
  return result;
}

Scaling fit_min_max(const Shard& shard, Communicator& comm) {
  const Index features = shard.format().features;
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  Values least = Values::Constant(features, kInfinite);
  Values most = Values::Constant(features, -kInfinite);
  in_rank_order(least, comm, [&] {
    for_each_sample(shard,
                    [&](const Vector<float>& x) { least = least.cwiseMin(x.cast<double>()); });
  });
  in_rank_order(most, comm, [&] {
    for_each_sample(shard, [&](const Vector<float>& x) { most = most.cwiseMax(x.cast<double>()); });
  });
  return {.kind = ScalingKind::kMinMax,
          .offset = least.cast<float>(),
          .factor = inverse_of(most - least)};
}

/// The knots of one feature from its values, which are sorted here.
void fit_knots(std::span<float> x, std::span<float> values, std::span<float> normal) {
  std::ranges::sort(x);
  struct Knot {
    float value;
    double rank;  ///< The middle of those of equal values, in (0, 1).
  };
  std::vector<Knot> knots;
  const auto count = static_cast<double>(x.size());
  for (std::size_t begin = 0, end = 0; begin < x.size(); begin = end) {
    while (end < x.size() && x[end] == x[begin]) ++end;
    knots.push_back({x[begin], static_cast<double>(begin + end) / (2 * count)});
  }
  const std::size_t kept = std::min(knots.size(), values.size());
  for (std::size_t i = 0; i < kept; ++i) {
    const Knot& knot = knots[kept == 1 ? 0 : i * (knots.size() - 1) / (kept - 1)];
    values[i] = knot.value;
    normal[i] = static_cast<float>(std::numbers::sqrt2 * boost::math::erf_inv(2 * knot.rank - 1));
  }
  std::ranges::fill(values.subspan(kept), std::numeric_limits<float>::max());
  std::ranges::fill(normal.subspan(kept), normal[kept - 1]);
}

Scaling fit_rank_gauss(const Shard& shard, Communicator& comm) {
  constexpr Index kMostSamples = 20000;
  constexpr Index kMostValues = Index{1} << 23;
  const Index features = shard.format().features;
  const Index size = shard.set_size();
  const Index count =
      std::min({size, kMostSamples, std::max<Index>(kMostValues / features, kMostKnots)});
  std::vector<Index> positions;
  for (Index i = 0; i < count; ++i) {
    positions.push_back(count > 1 ? i * (size - 1) / (count - 1) : 0);
  }
  const Matrix<float> samples = gather_samples(shard, positions, comm);
  Scaling result{.kind = ScalingKind::kRankGauss};
  if (comm.is_root()) {
    result.values.resize(std::min(kMostKnots, count), features);
    result.normal.resize(result.values.rows(), features);
    Vector<float> x(count);
    for (Index feature = 0; feature < features; ++feature) {
      x = samples.row(feature);
      const auto column = [feature](Matrix<float>& of) {
        return std::span(of.col(feature).data(), static_cast<std::size_t>(of.rows()));
      };
      fit_knots({x.data(), static_cast<std::size_t>(count)}, column(result.values),
                column(result.normal));
    }
  }
  broadcast(result, comm);
  return result;
}

/// y at x of the piecewise linear function through the first knots, whose `from` rise.
float interpolate(const float* from, const float* to, Index knots, float x) {
  const float* after = std::upper_bound(from, from + knots, x);
  if (after == from) return to[0];
  const Index i = after - from - 1;
  if (i + 1 == knots) return to[i];
  const float share = (x - from[i]) / (from[i + 1] - from[i]);
  return to[i] + share * (to[i + 1] - to[i]);
}

void map_knots(const Scaling& scaling, const Matrix<float>& from, const Matrix<float>& to,
               MatrixRef<float> x) {
  for (Index feature = 0; feature < x.rows(); ++feature) {
    const Index knots = knots_of(scaling, feature);
    for (Index j = 0; j < x.cols(); ++j) {
      x(feature, j) =
          interpolate(from.col(feature).data(), to.col(feature).data(), knots, x(feature, j));
    }
  }
}

}  // namespace

const Choices<ScalingKind>& scaling_kinds() {
  static const Choices<ScalingKind> kinds = {
      {"none", ScalingKind::kNone, "values as they are, bytes divided by 255"},
      {"standard", ScalingKind::kStandard, "mean 0 and standard deviation 1"},
      {"min-max", ScalingKind::kMinMax, "from 0 to 1"},
      {"rank-gauss", ScalingKind::kRankGauss, "ranks become a normal distribution"}};
  return kinds;
}

Index knots_of(const Scaling& scaling, Index feature) {
  const auto column = scaling.values.col(feature);
  const float* end = std::lower_bound(column.data(), column.data() + column.size(),
                                      std::numeric_limits<float>::max());
  return std::max<Index>(end - column.data(), 1);
}

void scale(const Scaling& scaling, MatrixRef<float> x) {
  if (!scaling.is_used()) return;
  if (scaling.kind == ScalingKind::kRankGauss) {
    return map_knots(scaling, scaling.values, scaling.normal, x);
  }
  x.colwise() -= scaling.offset;
  x.array().colwise() *= scaling.factor.array();
}

void unscale(const Scaling& scaling, MatrixRef<float> x) {
  if (!scaling.is_used()) return;
  if (scaling.kind == ScalingKind::kRankGauss) {
    return map_knots(scaling, scaling.normal, scaling.values, x);
  }
  x.array().colwise() /= scaling.factor.array();
  x.colwise() += scaling.offset;
}

Shard scaled(Shard shard, const Scaling& scaling) {
  if (!scaling.is_used()) return shard;
  RecordFormat format = shard.format();
  format.pixel_type = PixelType::kFloat32;
  const bool in_place = shard.format().pixel_type == PixelType::kFloat32;
  Shard result = in_place ? std::move(shard) : Shard(format, shard.set_size(), shard.samples());
  const Shard& source = in_place ? result : shard;
  constexpr Index kBlock = 256;
  const Range samples = result.samples();
  for (Range block{samples.begin, 0}; block.begin < samples.end; block.begin = block.end) {
    block.end = std::min(block.begin + kBlock, samples.end);
    Matrix<float> x = decode_pixels(source.format(), source.records(block));
    scale(scaling, x);
    for (Index sample = block.begin; sample < block.end; ++sample) {
      const std::uint16_t label = decode_label(source.format(), source.record(sample));
      encode_record(format, x.col(sample - block.begin), label,
                    result.records({sample, sample + 1}));
    }
  }
  return result;
}

std::pair<float, float> range_of(const Shard& shard, Communicator& comm) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  std::array<float, 2> own = {kInfinite, -kInfinite};
  for_each_sample(shard, [&own](const Vector<float>& x) {
    own = {std::min(own[0], x.minCoeff()), std::max(own[1], x.maxCoeff())};
  });
  const auto all = comm.allgather_values(std::span<const float>(own));
  const auto [least, most] = std::ranges::minmax(all);
  return std::isfinite(least) && std::isfinite(most) ? std::pair(least, most) : std::pair(0.f, 0.f);
}

Scaling fit_scaling(ScalingKind kind, const Shard& shard, Communicator& comm) {
  switch (kind) {
    case ScalingKind::kNone:
      return {};
    case ScalingKind::kStandard:
      return fit_standard(shard, comm);
    case ScalingKind::kMinMax:
      return fit_min_max(shard, comm);
    case ScalingKind::kRankGauss:
      return fit_rank_gauss(shard, comm);
  }
  throw std::logic_error("no such scaling");
}

void broadcast(Scaling& scaling, Communicator& comm) {
  std::array<Index, 4> header = {static_cast<Index>(scaling.kind), scaling.offset.size(),
                                 scaling.values.rows(), scaling.values.cols()};
  comm.broadcast(std::as_writable_bytes(std::span(header)), 0);
  scaling.kind = static_cast<ScalingKind>(header[0]);
  const auto send = [&comm](auto& values, Index rows, Index cols) {
    values.resize(rows, cols);
    comm.broadcast(
        std::as_writable_bytes(std::span(values.data(), static_cast<std::size_t>(values.size()))),
        0);
  };
  send(scaling.offset, header[1], 1);
  send(scaling.factor, header[1], 1);
  send(scaling.values, header[2], header[3]);
  send(scaling.normal, header[2], header[3]);
}

}  // namespace sae
