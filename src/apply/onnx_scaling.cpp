#include "onnx_scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace sae {
namespace {

constexpr float kMostOfByte = 255;

/// A constant for each feature.
OnnxValue add_row(OnnxGraph& graph, const std::string& name, const Vector<float>& values) {
  return graph.add_constant(name, {values.size()},
                            {values.data(), static_cast<std::size_t>(values.size())});
}

/// The knots of each feature side by side, in columns of equal length, which for the search is
/// 2^n + 1. A column is filled up so that a function stays at its last value: `from` with infinity.
struct KnotTables {
  Index rows = 0;
  Matrix<float> from, to;  ///< (rows, features).
};

KnotTables tables_of(const Scaling& scaling, const Matrix<float>& from, const Matrix<float>& to) {
  const Index features = from.cols();
  Index most = 2;
  for (Index feature = 0; feature < features; ++feature) {
    most = std::max(most, knots_of(scaling, feature));
  }
  KnotTables tables;
  tables.rows = static_cast<Index>(std::bit_ceil(static_cast<std::size_t>(most - 1))) + 1;
  tables.from.setConstant(tables.rows, features, std::numeric_limits<float>::infinity());
  tables.to.resize(tables.rows, features);
  for (Index feature = 0; feature < features; ++feature) {
    const Index knots = knots_of(scaling, feature);
    tables.from.col(feature).head(knots) = from.col(feature).head(knots);
    tables.to.col(feature).setConstant(to(knots - 1, feature));
    tables.to.col(feature).head(knots) = to.col(feature).head(knots);
  }
  return tables;
}

/// The piecewise linear function of each feature through (from, to), as scale() computes it: a
/// binary search for the last knot that is not above x, whose steps all samples take together.
OnnxValue add_interpolation(OnnxGraph& graph, const std::string& name, const KnotTables& tables,
                            const OnnxValue& x) {
  const Index features = tables.from.cols();
  const auto named = [&name](const char* part) { return fmt::format("{}/{}", name, part); };
  const auto constant = [&](const char* part, const Matrix<float>& values) {
    return graph.add_constant(named(part), {values.size()},
                              {values.data(), static_cast<std::size_t>(values.size())});
  };
  const OnnxValue from = constant("from", tables.from);
  const OnnxValue to = constant("to", tables.to);
  std::vector<std::int64_t> first;
  for (Index feature = 0; feature < features; ++feature) first.push_back(feature * tables.rows);
  OnnxValue at = graph.add_constant(named("first"), {1, features}, first);
  for (Index step = (tables.rows - 1) / 2; step >= 1; step /= 2) {
    const auto part = [&](const char* what) {
      return fmt::format("{}/step{}/{}", name, step, what);
    };
    const OnnxValue distance =
        graph.add_constant(part("distance"), {}, std::span<const std::int64_t>(&step, 1));
    const OnnxValue ahead = graph.add_node("Add", {at, distance}, part("ahead"));
    const OnnxValue knot = graph.add_node("Gather", {from, ahead}, part("knot"));
    const OnnxValue reached = graph.add_node("LessOrEqual", {knot, x}, part("reached"));
    at = graph.add_node("Where", {reached, ahead, at}, part("at"));
  }
  constexpr std::int64_t kOne = 1;
  const OnnxValue one = graph.add_constant(named("one"), {}, std::span(&kOne, 1));
  const OnnxValue next = graph.add_node("Add", {at, one}, named("next"));
  const OnnxValue left = graph.add_node("Gather", {from, at}, named("left"));
  const OnnxValue right = graph.add_node("Gather", {from, next}, named("right"));
  const OnnxValue low = graph.add_node("Gather", {to, at}, named("low"));
  const OnnxValue high = graph.add_node("Gather", {to, next}, named("high"));
  const OnnxValue passed = graph.add_node("Sub", {x, left}, named("passed"));
  const OnnxValue width = graph.add_node("Sub", {right, left}, named("width"));
  const OnnxValue ratio = graph.add_node("Div", {passed, width}, named("ratio"));
  const OnnxValue none = graph.add_constant(named("none"), 0);
  const OnnxValue all = graph.add_constant(named("all"), 1);
  const OnnxValue share = graph.add_node("Clip", {ratio, none, all}, named("share"));
  const OnnxValue rise = graph.add_node("Sub", {high, low}, named("rise"));
  const OnnxValue risen = graph.add_node("Mul", {share, rise}, named("risen"));
  return graph.add_node("Add", {low, risen}, name);
}

}  // namespace

OnnxValue add_scaling(OnnxGraph& graph, const DataSpec& data, const OnnxValue& samples) {
  const Scaling& scaling = data.scaling;
  OnnxValue x = samples;
  if (data.type == PixelType::kUint8) {
    x = graph.add_node("Div", {x, graph.add_constant("scaling/most_of_byte", kMostOfByte)},
                       "scaling/share_of_byte");
  }
  switch (scaling.kind) {
    case ScalingKind::kNone:
      return x;
    case ScalingKind::kStandard:
    case ScalingKind::kMinMax:
      x = graph.add_node("Sub", {x, add_row(graph, "scaling/offset", scaling.offset)},
                         "scaling/centred");
      return graph.add_node("Mul", {x, add_row(graph, "scaling/factor", scaling.factor)},
                            "scaling/scaled");
    case ScalingKind::kRankGauss:
      return add_interpolation(graph, "scaling/scaled",
                               tables_of(scaling, scaling.values, scaling.normal), x);
  }
  throw std::logic_error("no such scaling");
}

OnnxValue add_unscaling(OnnxGraph& graph, const DataSpec& data, const OnnxValue& inputs) {
  const Scaling& scaling = data.scaling;
  OnnxValue x = inputs;
  switch (scaling.kind) {
    case ScalingKind::kNone:
      break;
    case ScalingKind::kStandard:
    case ScalingKind::kMinMax:
      x = graph.add_node("Div", {x, add_row(graph, "unscaling/factor", scaling.factor)},
                         "unscaling/wide");
      x = graph.add_node("Add", {x, add_row(graph, "unscaling/offset", scaling.offset)},
                         "unscaling/unscaled");
      break;
    case ScalingKind::kRankGauss:
      x = add_interpolation(graph, "unscaling/unscaled",
                            tables_of(scaling, scaling.normal, scaling.values), x);
      break;
  }
  if (data.type == PixelType::kUint8) {
    x = graph.add_node("Mul", {x, graph.add_constant("unscaling/most_of_byte", kMostOfByte)},
                       "unscaling/byte");
  }
  return x;
}

}  // namespace sae
