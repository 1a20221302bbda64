#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/shard.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/train/confusion.hpp"
#include "sae/train/hard_samples.hpp"

namespace sae {

/// The squared error of a feature of the inputs, averaged over samples.
struct FeatureError {
  Index feature = 0;
  std::string name = {};  ///< Of the data set; empty if it has none.
  double mean = 0;
};

/// How well an autoencoder reconstructs a set: squared errors of its scaled inputs.
struct ReconstructionErrors {
  double mean = 0;                                ///< Over samples and features.
  std::vector<double> percentiles = {};           ///< 0 to 100, of the means of single samples.
  std::vector<FeatureError> worst_features = {};  ///< By falling error, at most 20.
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
