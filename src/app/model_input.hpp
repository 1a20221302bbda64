#pragma once

#include <filesystem>
#include <utility>

#include "options.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/run/checkpoint.hpp"

namespace sae {

/// Topology and parameters of rank 0's checkpoint, on every rank: the file needs to be on its host
/// only. Collective. Throws: as load_checkpoint, on rank 0.
Checkpoint load_and_broadcast(const std::filesystem::path& path, Communicator& comm);

/// The samples that the options name.
/// Throws: DataError if the validation set is larger than the training split.
std::pair<Split, Range> samples_of(const ModelInput& input, const DatasetInfo& info);

/// `data` is the file of the data set.
/// Throws: DataError if the model takes other pixels than the data set has, or there are no
/// samples.
void check_suits(const ModelInput& input, const std::filesystem::path& data,
                 const Topology& topology, const DatasetInfo& info);

/// Warns on stderr if nothing has trained the model's output layer yet.
void warn_if_untrained(const ModelInput& input, const Checkpoint& model);

}  // namespace sae
