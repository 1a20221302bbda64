#include "sae/model/finished_model.hpp"

#include <algorithm>

namespace sae {

Topology finished(const Topology& topology) {
  if (topology.reconstructs()) return topology;
  Topology result = topology;
  result.decoder = Decoder::kNone;
  result.lateral = false;
  if (result.normalization == Normalization::kBatch) result.normalization = Normalization::kNone;
  return result;
}

Vector<float> finished(const ParameterLayout& layout, std::span<const float> parameters) {
  const ParameterLayout to(finished(layout.topology()));
  Vector<float> result = Vector<float>::Zero(to.size());
  for (const ParameterView& view : to.views()) {
    const auto from = std::ranges::find(layout.views(), view.name, &ParameterView::name);
    view_of(result, view) = view_of(parameters, *from);
  }
  if (layout.topology().normalization != Normalization::kBatch) return result;
  for (Index layer = 0; layer < layout.layers(); ++layer) {
    const LayerViews& v = layout.layer(layer);
    const auto row = [&](const ParameterView& view) {
      return view_of(parameters, view).col(0).template cast<double>().array();
    };
    Vector<double> scale = (row(v.variance) + kNormalizationEpsilon).rsqrt();
    if (v.gain.size() > 0) scale.array() *= row(v.gain);
    const Vector<double> bias = row(v.bias) - row(v.mean) * scale.array();
    view_of(result, to.layer(layer).weights).array().colwise() *= scale.cast<float>().array();
    view_of(result, to.layer(layer).bias) = bias.cast<float>();
  }
  return result;
}

}  // namespace sae
