#include <fmt/format.h>

#include "commands.hpp"
#include "sae/core/error.hpp"
#include "sae/monitor/text.hpp"
#include "sae/train/checkpoint.hpp"
#include "sae/train/evaluation.hpp"
#include "search.hpp"

namespace sae {
namespace {

/// Rank 0's checkpoint, on every rank: the file needs to be on its host only.
Checkpoint load_and_broadcast(const std::filesystem::path& path, Communicator& comm) {
  Checkpoint checkpoint;
  if (comm.is_root()) checkpoint = load_checkpoint(path);
  Topology& topology = checkpoint.topology;
  Index layers = topology.hidden_layers();
  const auto broadcast = [&comm](auto& value) {
    comm.broadcast(std::as_writable_bytes(std::span(&value, 1)), 0);
  };
  broadcast(topology.inputs);
  broadcast(topology.classes);
  broadcast(layers);
  topology.hidden.resize(static_cast<std::size_t>(layers));
  comm.broadcast(std::as_writable_bytes(std::span(topology.hidden)), 0);
  checkpoint.parameters.resize(ParameterLayout(topology).size());
  comm.broadcast(
      std::as_writable_bytes(std::span(checkpoint.parameters.data(),
                                       static_cast<std::size_t>(checkpoint.parameters.size()))),
      0);
  return checkpoint;
}

/// The samples of the split that the options name.
std::pair<Split, Range> samples_of(const EvaluateOptions& options, const DatasetInfo& info) {
  if (options.split == "test") return {Split::kTest, {0, info.test_count}};
  if (options.validation_size > info.train_count) {
    throw DataError(
        fmt::format("A validation set of {} samples is larger than the training split "
                    "of {} samples.",
                    options.validation_size, info.train_count));
  }
  if (options.split == "validation") return {Split::kTrain, {0, options.validation_size}};
  return {Split::kTrain, {options.validation_size, info.train_count}};
}

void check_suits(const EvaluateOptions& options, const std::filesystem::path& data,
                 const Topology& topology, const DatasetInfo& info) {
  const auto [split, samples] = samples_of(options, info);
  if (topology.inputs != info.features) {
    throw DataError(fmt::format("The model {} takes {} pixels, the data set {} has {}.",
                                options.model.string(), topology.inputs, data.string(),
                                info.features));
  }
  if (info.classes > topology.classes) {
    throw DataError(fmt::format("The model {} knows {} classes, the data set {} has {}.",
                                options.model.string(), topology.classes, data.string(),
                                info.classes));
  }
  if (!info.has_labels(split) || samples.size() == 0) {
    throw DataError(fmt::format("The data set {} has no labelled samples in its {} split.",
                                data.string(), options.split));
  }
}

}  // namespace

void run_evaluate(const EvaluateOptions& options, Communicator& comm) {
  const Checkpoint checkpoint = load_and_broadcast(options.model, comm);
  const auto path = find_dataset(options.data, comm);
  DistributedDataset dataset(path, options.data_access, comm);
  if (comm.is_root()) check_suits(options, path, checkpoint.topology, dataset.info());
  comm.barrier();
  const auto [split, samples] = samples_of(options, dataset.info());
  const Shard shard = dataset.load_shard(split, samples);
  const Evaluation result =
      evaluate(ParameterLayout(checkpoint.topology), checkpoint.parameters, shard, comm);
  if (!comm.is_root()) return;
  fmt::print("{} on the {} set of {}\n\n", options.model.string(), options.split, path.string());
  fmt::print("  error  {:.2f} % ({} of {})\n  loss   {:.4f}\n\n{}", result.error_percent(),
             result.errors, result.samples, result.loss, confusion_table(result));
}

}  // namespace sae
