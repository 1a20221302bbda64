#pragma once

#include <filesystem>
#include <utility>

#include "options.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/run/checkpoint.hpp"

namespace sae {

/// Loads topology and parameters on rank 0 and broadcasts them; only its host needs the file.
/// Collective. Throws: as load_checkpoint, on rank 0.
Checkpoint load_and_broadcast(const std::filesystem::path& path, Communicator& comm);

/// The samples that the options select.
/// Throws: DataError if the validation set is larger than the training split.
std::pair<Split, Range> samples_of(const ModelInput& input, const DatasetInfo& info);

/// `data` is the file of the data set.
/// Throws: DataError if model and data set have different numbers of pixels, or there are no
/// samples.
void check_suits(const ModelInput& input, const std::filesystem::path& data,
                 const Topology& topology, const DatasetInfo& info);

/// Warns on stderr if the model's output layer is untrained.
void warn_if_untrained(const ModelInput& input, const Checkpoint& model);

}  // namespace sae
