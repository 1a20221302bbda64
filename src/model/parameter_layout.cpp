#include "sae/model/parameter_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sae {

std::string to_string(const Topology& topology) {
  std::string text = fmt::format("{}", topology.inputs);
  for (const LayerSpec& layer : topology.hidden) text += fmt::format("-{}", layer.units);
  return topology.classes > 0 ? text + fmt::format("-{}", topology.classes) : text;
}

const Choices<Decoder>& decoder_kinds() {
  static const Choices<Decoder> kinds = {{"tied", Decoder::kTied, "those of the encoder"}};
  return kinds;
}

Index Topology::widest() const {
  return hidden.empty() ? 0 : std::ranges::max(hidden, {}, &LayerSpec::units).units;
}

Visible Topology::visible_of(Index of) const {
  if (of == 0) return visible;
  switch (layer(of - 1).activation) {
    case Activation::kSigmoid:
      return Visible::kBernoulli;  // Values in [0, 1].
    case Activation::kTanh:
    case Activation::kRelu:
      break;
  }
  return Visible::kGaussian;
}

ParameterLayout::ParameterLayout(const Topology& topology) : topology_(topology) {
  const auto place = [this](std::string name, Index rows, Index cols, bool is_weights) {
    ParameterView view{std::move(name), rows, cols, size_, is_weights};
    size_ += (view.size() + kAlignment - 1) / kAlignment * kAlignment;
    return view;
  };
  for (Index layer = 0; layer < topology.hidden_layers(); ++layer) {
    const std::string name = fmt::format("hidden{}", layer + 1);
    const Index inputs = topology.inputs_of(layer);
    const Index units = topology.layer(layer).units;
    LayerViews views;
    views.activation = topology.layer(layer).activation;
    views.visible = topology.visible_of(layer);
    views.weights = place(name + "/weights", units, inputs, true);
    views.bias = place(name + "/bias", units, 1, false);
    views.visible_bias = place(name + "/visible_bias", inputs, 1, false);
    layers_.push_back(std::move(views));
  }
  LayerViews output;
  if (topology.classes > 0) {
    const Index inputs = topology.inputs_of(topology.hidden_layers());
    output.weights = place("output/weights", topology.classes, inputs, true);
    output.bias = place("output/bias", topology.classes, 1, false);
  } else {
    output.weights.offset = size_;
  }
  layers_.push_back(std::move(output));
  for (const LayerViews& layer : layers_) {
    for (const ParameterView* view : {&layer.weights, &layer.bias, &layer.visible_bias}) {
      if (view->size() > 0) views_.push_back(*view);
    }
  }
}

Range ParameterLayout::pretraining_range(Index layer) const {
  return {hidden(layer).weights.offset,
          layers_[static_cast<std::size_t>(layer + 1)].weights.offset};
}

}  // namespace sae
