#pragma once

#include <cstdint>
#include <optional>

#include "sae/comm/communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/sample_set.hpp"

namespace sae {

/// Which training samples choose the best model and train nothing.
enum class ValidationChoice {
  kFirst,  ///< The first of the split.
  kRandom  ///< Drawn by the seed, from each class in proportion to its samples.
};

/// How the training split is divided.
struct SetSettings {
  ValidationChoice validation = ValidationChoice::kRandom;
  Index validation_size = 0;
  /// Use the labels of so many training samples, drawn by the seed, as evenly from the classes as
  /// they allow. None: of all that have one.
  std::optional<Index> labelled = {};
  std::uint64_t seed = 0;
};

struct TrainingSets {
  SampleSet training;
  SampleSet validation;
  /// The training samples whose labels are used; none if that is all of them.
  std::optional<SampleSet> labelled;
};

/// Divides the training split. A function of the settings and of the labels in the file.
/// Collective: rank 0 reads the labels. Throws: DataError, on rank 0, if there are too few samples
/// or labels.
TrainingSets choose_training_sets(const SetSettings& settings, const DistributedDataset& dataset,
                                  Communicator& comm);

}  // namespace sae
