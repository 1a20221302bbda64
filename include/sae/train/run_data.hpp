#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sae/config/configuration.hpp"
#include "sae/data/data_spec.hpp"
#include "sae/data/distributed_dataset.hpp"

namespace sae {

/// This rank's shards of the sets of a run.
struct RunData {
  /// Loads the values as they are in the file.
  /// Collective. Throws: DataError if the data set does not suit the configuration.
  RunData(const Configuration& configuration, DistributedDataset& dataset, Communicator& comm);

  DatasetInfo info;
  Shard training;
  std::optional<Shard> labelled;  ///< Of the training samples with a label, unless all have one.
  Shard validation;
  SampleSet validation_set;  ///< Which samples of the file these are.
  Shard test;
  std::uint64_t digest = 0;  ///< Of all samples and labels of all ranks, before they are scaled.
  Scaling scaling;
  /// Training samples whose values swap noise takes, at most 1,024, the same on all ranks; null if
  /// none were drawn.
  std::shared_ptr<const Matrix<float>> donors;

  /// Scales all sets. Local.
  void scale_by(const Scaling& given);

  /// Draws the donors by the seed. Collective.
  void draw_donors(std::uint64_t seed, Communicator& comm);

  /// What a stage trains on.
  const Shard& shard_for(bool classifies) const {
    return classifies && labelled ? *labelled : training;
  }

  DataSpec spec() const { return {info.pixel_type, scaling, info.feature_names, info.class_names}; }

  /// The data set on one line; a resume requires the same text.
  std::string description() const;
};

/// What `auto` means for this data: sets finetune, scale and visible of the configuration. Where
/// `resumed` is not null, as that run did.
/// Collective. Throws: DataError or UsageError, on all ranks, if a setting does not suit the data.
void decide_by_data(Configuration& configuration, const RunData& data, const Configuration* resumed,
                    Communicator& comm);

/// Local. Throws: DataError if the data set does not suit the configuration.
void check_dataset(const Configuration& configuration, const DatasetInfo& info);

}  // namespace sae
