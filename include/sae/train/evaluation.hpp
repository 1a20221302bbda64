#pragma once

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/train/confusion.hpp"
#include "sae/train/hard_samples.hpp"

namespace sae {

/// Figures of a classifier on a set of samples.
struct Evaluation {
  Index samples = 0;
  Index errors = 0;
  double loss = 0;      ///< Mean of -log p(label), in nats.
  Confusion confusion;  ///< Complete on rank 0 only.

  /// Share of misclassified samples, in percent; 0 for an empty set.
  double error_percent() const {
    return samples > 0 ? 100.0 * static_cast<double>(errors) / static_cast<double>(samples) : 0;
  }
};

/// Samples per forward pass of evaluate(). If shards consist of whole blocks, any number of ranks
/// gives the same bits.
inline constexpr Index kEvaluationBlock = 250;

/// Evaluates the network on a sharded set. Each block of samples beats `heartbeat`; adds this
/// rank's samples to `hard`. Both may be null.
/// Collective: all ranks get the figures of the whole set.
Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat = nullptr,
                    HardSamples* hard = nullptr);

}  // namespace sae
