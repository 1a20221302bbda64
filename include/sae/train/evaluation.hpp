#pragma once

#include <optional>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/train/confusion.hpp"
#include "sae/train/hard_samples.hpp"

namespace sae {

/// How well an autoencoder reconstructs a set, in the units of its inputs.
struct ReconstructionErrors {
  double mean = 0;            ///< Squared error, averaged over samples and features.
  Vector<double> by_feature;  ///< Averaged over samples.
  std::vector<float> scores;  ///< Of each sample, averaged over features; on rank 0 only.
};

/// Figures of a model on a set of samples.
struct Evaluation {
  Index samples = 0;  ///< Of a classifier, those with a label.
  /// Of a classifier: misclassified samples.
  std::optional<Index> errors;
  /// Mean over the samples: -log p(label) in nats, or the reconstruction loss.
  double loss = 0;
  Confusion confusion = {};  ///< Of a classifier; complete on rank 0 only.
  std::optional<ReconstructionErrors> reconstruction = {};  ///< Of an autoencoder.

  /// Share of misclassified samples, in percent; 0 for an empty set.
  double error_percent() const {
    return samples > 0
               ? 100.0 * static_cast<double>(errors.value_or(0)) / static_cast<double>(samples)
               : 0;
  }
  /// What the best model has least of: errors, or else loss.
  double figure() const { return errors ? static_cast<double>(*errors) : loss; }
};

/// Samples per forward pass of evaluate(). If shards consist of whole blocks, any number of ranks
/// gives the same bits.
inline constexpr Index kEvaluationBlock = 250;

/// Evaluates the network on a sharded set: the classifier if it has an output layer, else the
/// reconstruction through all layers. Each block of samples beats `heartbeat`; adds this rank's
/// samples to `hard`. Both may be null.
/// Collective: all ranks get the figures of the whole set.
Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat = nullptr,
                    HardSamples* hard = nullptr);

}  // namespace sae
