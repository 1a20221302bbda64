#pragma once

#include "sae/config/configuration.hpp"
#include "sae/run/checkpoint.hpp"

namespace sae {

/// What a new run takes over from its initial model, besides parameters.
struct InitialChoices {
  Visible visible{};
  ScalingKind scale{};
};

/// Throws: DataError if the layers that the model and the run both have differ in their units or
/// activations, or their inputs in number.
InitialChoices check_initial_model(const Checkpoint& model, const Configuration& configuration,
                                   const DatasetInfo& info);

/// Sets what is not decided. Throws: UsageError if something else is asked for.
void take_over(const InitialChoices& choices, Configuration& configuration);

/// Copies the hidden layers that both have, and the output layer if all others are the same.
void copy_layers(const Checkpoint& model, const ParameterLayout& layout,
                 std::span<float> parameters);

}  // namespace sae
