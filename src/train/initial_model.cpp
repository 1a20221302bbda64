#include "initial_model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sae/core/error.hpp"

namespace sae {
namespace {

template <typename Kind>
void take_over_kind(const char* option, Kind kind, const Choices<Kind>& kinds,
                    std::optional<Kind>& setting) {
  if (!setting) setting = kind;
  if (*setting == kind) return;
  throw UsageError(fmt::format("The initial model has --{0} {1}; --{0} {2} does not go with it.",
                               option, name_of(kind, kinds), name_of(*setting, kinds)));
}

}  // namespace

InitialChoices check_initial_model(const Checkpoint& model, const Configuration& configuration,
                                   const DatasetInfo& info) {
  const auto fail = [&](const std::string& fault) {
    throw DataError(fmt::format("The initial model {} does not fit: {}.",
                                configuration.initial_model.string(), fault));
  };
  if (model.topology.inputs != info.features) {
    fail(fmt::format("it takes {} values a sample, the data set {} has {}", model.topology.inputs,
                     configuration.data.string(), info.features));
  }
  if (const auto fault = different_features(model.data.feature_names, info.feature_names)) {
    fail(*fault);
  }
  if (model.topology.normalization != configuration.normalization) {
    fail(
        fmt::format("its layers have --normalization {}, not {} (a finished model holds that of "
                    "batches in its weights; pretrained.h5 and checkpoints do not)",
                    name_of(model.topology.normalization, normalization_kinds()),
                    name_of(configuration.normalization, normalization_kinds())));
  }
  const std::size_t both = std::min(model.topology.hidden.size(), configuration.layers.size());
  for (std::size_t i = 0; i < both; ++i) {
    const LayerSpec& layer = model.topology.hidden[i];
    if (layer.units != configuration.layers[i].units) {
      fail(fmt::format("its hidden layer {} has {} units, not {}", i + 1, layer.units,
                       configuration.layers[i].units));
    }
    if (layer.activation != configuration.layers[i].activation) {
      fail(fmt::format("its hidden layer {} has the activation {}, not {}", i + 1,
                       name_of(layer.activation, activation_kinds()),
                       name_of(configuration.layers[i].activation, activation_kinds())));
    }
  }
  return {model.topology.visible, model.data.scaling.kind};
}

void take_over(const InitialChoices& choices, Configuration& configuration) {
  take_over_kind("visible", choices.visible, visible_kinds(), configuration.visible);
  take_over_kind("scale", choices.scale, scaling_kinds(), configuration.scale);
}

void copy_layers(const Checkpoint& model, const ParameterLayout& layout,
                 std::span<float> parameters) {
  const ParameterLayout from(model.topology);
  const bool same_stack = model.topology.hidden == layout.topology().hidden;
  for (const ParameterView& view : layout.views()) {
    const bool is_output = view.name.starts_with("output/");
    const auto found = std::ranges::find(from.views(), view.name, &ParameterView::name);
    if (found == from.views().end() || found->rows != view.rows || found->cols != view.cols ||
        (is_output && !same_stack)) {
      continue;
    }
    std::copy_n(model.parameters.data() + found->offset, view.size(),
                parameters.data() + view.offset);
  }
}

}  // namespace sae
