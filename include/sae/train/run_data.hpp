#pragma once

#include <cstdint>
#include <string>

#include "sae/config/configuration.hpp"
#include "sae/data/distributed_dataset.hpp"

namespace sae {

/// The samples of a run: this rank's shards of the three sets, and what they are.
struct RunData {
  /// Collective. Throws: DataError if the data set does not suit the configuration.
  RunData(const Configuration& configuration, DistributedDataset& dataset, Communicator& comm);

  DatasetInfo info;
  Shard training;
  Shard validation;
  Shard test;
  std::uint64_t digest = 0;  ///< Of all samples and labels, of all ranks.

  /// The data set on one line: what must be the same to go on.
  std::string description() const;
};

/// Throws: DataError if a data set cannot serve the configuration. Local.
void check_dataset(const Configuration& configuration, const DatasetInfo& info);

}  // namespace sae
