#include "sae/model/parameter_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sae/kernels/combinator.hpp"

namespace sae {

std::string to_string(const Topology& topology) {
  std::string text = fmt::format("{}", topology.inputs);
  for (const LayerSpec& layer : topology.hidden) text += fmt::format("-{}", layer.units);
  return topology.classes > 0 ? text + fmt::format("-{}", topology.classes) : text;
}

const Choices<Decoder>& decoder_kinds() {
  static const Choices<Decoder> kinds = {{"tied", Decoder::kTied, "those of the encoder"},
                                         {"free", Decoder::kFree, "of its own"},
                                         {"none", Decoder::kNone, "no reconstructions"}};
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
    case Activation::kGelu:
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
  const bool batch = topology.normalization == Normalization::kBatch;
  for (Index layer = 0; layer <= topology.hidden_layers(); ++layer) {
    const bool is_output = layer == topology.hidden_layers();
    const std::string name = is_output ? "output" : fmt::format("hidden{}", layer + 1);
    const Index inputs = topology.inputs_of(layer);
    const Index units = is_output ? topology.classes : topology.layer(layer).units;
    LayerViews views;
    views.weights.offset = size_;
    if (units > 0) {
      views.normalization = topology.normalization;
      if (!is_output) views.activation = topology.layer(layer).activation;
      if (!is_output) views.visible = topology.visible_of(layer);
      views.weights = place(name + "/weights", units, inputs, true);
      views.bias = place(name + "/bias", units, 1, false);
      const bool scales = is_output || views.activation != Activation::kRelu;
      if (topology.normalization != Normalization::kNone && scales) {
        views.gain = place(name + "/gain", units, 1, false);
      }
      const bool decodes = !is_output || topology.lateral;
      if (topology.decoder == Decoder::kFree && decodes) {
        views.decoder = place(name + "/decoder_weights", inputs, units, true);
      }
      if (topology.lateral) {
        views.combinator = place(name + "/combinator", inputs, kCombinatorParameters, false);
      } else if (!is_output && topology.decoder != Decoder::kNone) {
        views.visible_bias = place(name + "/visible_bias", inputs, 1, false);
      }
      if (topology.lateral && is_output) {
        views.top_combinator = place(name + "/top_combinator", units, kCombinatorParameters, false);
      }
      if (batch) {
        views.mean = place(name + "/mean", units, 1, false);
        views.variance = place(name + "/variance", units, 1, false);
      }
    }
    layers_.push_back(std::move(views));
  }
  for (const LayerViews& layer : layers_) {
    for (const ParameterView* view : layer.all()) views_.push_back(*view);
  }
}

std::vector<const ParameterView*> LayerViews::all() const {
  std::vector<const ParameterView*> present;
  for (const ParameterView* view : {&weights, &bias, &gain, &decoder, &visible_bias, &combinator,
                                    &top_combinator, &mean, &variance}) {
    if (view->size() > 0) present.push_back(view);
  }
  return present;
}

Range ParameterLayout::pretraining_range(Index layer) const {
  return {hidden(layer).weights.offset,
          layers_[static_cast<std::size_t>(layer + 1)].weights.offset};
}

}  // namespace sae
