#pragma once

#include <span>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/config/configuration.hpp"
#include "sae/data/distortion.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// Most training samples that the statistics of batch normalisation are taken from.
inline constexpr Index kStatisticsSamples = 20000;

/// Sets, in `parameters` of `averaging`, mean and variance of the layers of a network with batch
/// normalisation, the output layer last: those of W h over samples of the training set, drawn by
/// the seed, without noise, with h from the layers below as they are applied. Products have the
/// precision of the configuration. `distorter`, unless null, distorts the samples first, as those
/// that are trained are.
/// Collective: the same for all ranks. Each block of samples beats `heartbeat`, which may be null.
void update_statistics(const ParameterLayout& layout, Range layers, const Shard& training,
                       const Configuration& configuration, const Distorter* distorter,
                       std::span<float> parameters, GradientAveraging& averaging,
                       Communicator& comm, Heartbeat* heartbeat = nullptr);

}  // namespace sae
