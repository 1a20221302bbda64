#pragma once

#include <filesystem>
#include <utility>

#include "options.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/run/checkpoint.hpp"

namespace sae {

/// Loads topology, scaling and parameters on rank 0 and broadcasts them; only its host needs the
/// file. Collective. Throws: as load_checkpoint, on rank 0.
Checkpoint load_and_broadcast(const std::filesystem::path& path, Communicator& comm);

/// The samples of `split`: "train", "validation" or "test". Training and validation samples are
/// those of the model's run, where the options do not say otherwise.
/// Collective. Throws: DataError, on rank 0, if the validation set is larger than the training
/// split.
SampleSet samples_of(const ModelInput& input, const std::string& split, const Checkpoint& model,
                     const DistributedDataset& dataset, Communicator& comm);

/// Warns on stderr of bytes for a model of floats.
/// Local. Throws: DataError if model and data set, in file `data`, have other features.
void check_suits(const ModelInput& input, const std::filesystem::path& data,
                 const Checkpoint& model, const DatasetInfo& info);

/// Local. Throws: UsageError if the model, from file `model`, reconstructs nothing from its codes.
void check_decoder(const std::filesystem::path& model, const Topology& topology);

/// Local. Throws: UsageError if the model, from file `model`, has fewer hidden layers than `layer`.
void check_layer(const std::filesystem::path& model, Index layer, const Topology& topology);

/// Local. Throws: DataError if there are no samples.
void check_not_empty(const ModelInput& input, const std::filesystem::path& data,
                     const SampleSet& samples, const DatasetInfo& info);

/// Warns on stderr if the model's output layer is untrained.
void warn_if_untrained(const ModelInput& input, const Checkpoint& model);

/// Warns on stderr if fine-tuning changed the layers of the model, and not its decoder.
void warn_if_decoder_is_old(const ModelInput& input, const Checkpoint& model);

}  // namespace sae
