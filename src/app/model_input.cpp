#include "model_input.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <span>

#include "sae/core/error.hpp"

namespace sae {

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
  broadcast(topology.visible);
  broadcast(topology.decoder);
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

std::pair<Split, Range> samples_of(const ModelInput& input, const DatasetInfo& info) {
  if (input.split == "test") return {Split::kTest, {0, info.test_count}};
  if (input.validation_size > info.train_count) {
    throw DataError(
        fmt::format("A validation set of {} samples is larger than the training split "
                    "of {} samples.",
                    input.validation_size, info.train_count));
  }
  if (input.split == "validation") return {Split::kTrain, {0, input.validation_size}};
  return {Split::kTrain, {input.validation_size, info.train_count}};
}

void check_suits(const ModelInput& input, const std::filesystem::path& data,
                 const Topology& topology, const DatasetInfo& info) {
  if (topology.inputs != info.features) {
    throw DataError(fmt::format("The model {} takes {} pixels, the data set {} has {}.",
                                input.model.string(), topology.inputs, data.string(),
                                info.features));
  }
  if (samples_of(input, info).second.size() == 0) {
    throw DataError(
        fmt::format("The data set {} has no samples in its {} split; "
                    "--split train --validation-size 0 takes its {} training samples.",
                    data.string(), input.split, info.train_count));
  }
}

void warn_if_untrained(const ModelInput& input, const Checkpoint& model) {
  const bool any_step = model.state.progress.epoch > 1 || model.state.progress.step_in_epoch > 0;
  if (model.state.progress.stage == model.topology.hidden_layers() && any_step) return;
  fmt::print(stderr,
             "sae_dist: warning: {} was saved before the first step of fine-tuning: its output "
             "layer is not trained, and the classes that it predicts mean nothing.\n",
             input.model.string());
}

}  // namespace sae
