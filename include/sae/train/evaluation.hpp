#pragma once

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/train/confusion.hpp"
#include "sae/train/hard_samples.hpp"

namespace sae {

/// How a classifier does on a set of samples, each counted once.
struct Evaluation {
  Index samples = 0;
  Index errors = 0;
  double loss = 0;      ///< Mean of -log p(label), in nats.
  Confusion confusion;  ///< Of the whole set on rank 0 alone.

  /// Share of misclassified samples, in percent; 0 for an empty set.
  double error_percent() const {
    return samples > 0 ? 100.0 * static_cast<double>(errors) / static_cast<double>(samples) : 0;
  }
};

/// Samples that evaluate() passes through the network at once. Shards of whole blocks give the same
/// bits on any number of ranks.
inline constexpr Index kEvaluationBlock = 250;

/// Evaluates the network on the set whose shards the ranks hold. Each block of samples is progress
/// for `heartbeat`, which may be null. This rank's samples are added to `hard`, which may be null.
/// Collective: all ranks get the figures of the whole set.
Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat = nullptr,
                    HardSamples* hard = nullptr);

}  // namespace sae
