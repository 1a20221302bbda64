#pragma once

#include <cstdint>
#include <string>

#include "sae/config/configuration.hpp"
#include "sae/data/distributed_dataset.hpp"

namespace sae {

/// This rank's shards of the three sets of a run.
struct RunData {
  /// Collective. Throws: DataError if the data set does not suit the configuration.
  RunData(const Configuration& configuration, DistributedDataset& dataset, Communicator& comm);

  DatasetInfo info;
  Shard training;
  Shard validation;
  Shard test;
  std::uint64_t digest = 0;  ///< Of all samples and labels of all ranks.

  /// The data set on one line; a resume requires the same text.
  std::string description() const;
};

/// Local. Throws: DataError if the data set does not suit the configuration.
void check_dataset(const Configuration& configuration, const DatasetInfo& info);

}  // namespace sae
