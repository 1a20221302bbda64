#pragma once

#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/train/hard_samples.hpp"

namespace sae {

/// How a classifier does on a set of samples, each counted once.
struct Evaluation {
  Index samples = 0;
  Index errors = 0;
  double loss = 0;               ///< Mean of -log p(label), in nats.
  std::vector<Index> confusion;  ///< classes x classes: row the label, column the prediction.

  /// Share of misclassified samples, in percent; 0 for an empty set.
  double error_percent() const {
    return samples > 0 ? 100.0 * static_cast<double>(errors) / static_cast<double>(samples) : 0;
  }
};

/// Evaluates the network on the set whose shards the ranks hold. Each block of samples is progress
/// for `heartbeat`, which may be null. This rank's samples are added to `hard`, which may be null.
/// Collective: all ranks get the result for the whole set.
Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat = nullptr,
                    HardSamples* hard = nullptr);

}  // namespace sae
