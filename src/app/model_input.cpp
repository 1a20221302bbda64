#include "model_input.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <span>

#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/data/training_sets.hpp"

namespace sae {
namespace {

/// By one step at least.
bool is_finetuned(const Checkpoint& model) {
  const Progress& progress = model.state.progress;
  return progress.stage == model.topology.hidden_layers() &&
         (progress.epoch > 1 || progress.step_in_epoch > 0);
}

}  // namespace

Checkpoint load_and_broadcast(const std::filesystem::path& path, Communicator& comm) {
  Checkpoint checkpoint;
  if (comm.is_root()) {
    checkpoint = load_checkpoint(path);
    finish(checkpoint);
  }
  Topology& topology = checkpoint.topology;
  Index layers = topology.hidden_layers();
  const auto broadcast = [&comm](auto& value) {
    comm.broadcast(std::as_writable_bytes(std::span(&value, 1)), 0);
  };
  broadcast(topology.inputs);
  broadcast(topology.classes);
  broadcast(topology.visible);
  broadcast(topology.decoder);
  broadcast(topology.normalization);
  broadcast(layers);
  topology.hidden.resize(static_cast<std::size_t>(layers));
  comm.broadcast(std::as_writable_bytes(std::span(topology.hidden)), 0);
  broadcast(checkpoint.data.type);
  sae::broadcast(checkpoint.data.scaling, comm);
  checkpoint.parameters.resize(ParameterLayout(topology).size());
  comm.broadcast(
      std::as_writable_bytes(std::span(checkpoint.parameters.data(),
                                       static_cast<std::size_t>(checkpoint.parameters.size()))),
      0);
  return checkpoint;
}

SampleSet samples_of(const ModelInput& input, const std::string& split, const Checkpoint& model,
                     const DistributedDataset& dataset, Communicator& comm) {
  const DatasetInfo& info = dataset.info();
  if (split == "test") return {Split::kTest, {0, info.test_count}};
  SetSettings sets;
  if (comm.is_root()) {
    sets = set_settings(recorded_configuration(model.config));
    sets.validation_size = input.validation_size.value_or(sets.validation_size);
    sets.validation = input.validation.value_or(sets.validation);
    sets.labelled.reset();
    if (sets.validation_size > info.train_count) {
      throw DataError(
          fmt::format("A validation set of {} samples is larger than the training split "
                      "of {} samples.",
                      sets.validation_size, info.train_count));
    }
  }
  comm.broadcast(std::as_writable_bytes(std::span(&sets, 1)), 0);
  const TrainingSets chosen = choose_training_sets(sets, dataset, comm);
  return split == "validation" ? chosen.validation : chosen.training;
}

void check_suits(const ModelInput& input, const std::filesystem::path& data,
                 const Checkpoint& model, const DatasetInfo& info) {
  if (model.topology.inputs != info.features) {
    throw DataError(fmt::format("The model {} takes {} features, the data set {} has {}.{}",
                                input.model.string(), model.topology.inputs, data.string(),
                                info.features,
                                input.data.empty() ? " Name your own by --data." : ""));
  }
  if (const auto fault = different_features(model.data.feature_names, info.feature_names)) {
    throw DataError(
        fmt::format("The model {} does not know the features of the data set {}: {}. Import new "
                    "rows beside the table that the model was trained on: --csv TRAINING_TABLE "
                    "--test-csv NEW_ROWS.",
                    input.model.string(), data.string(), *fault));
  }
  // Floats for a model of bytes may be shares of 255.
  if (model.data.type != PixelType::kUint8 && info.pixel_type == PixelType::kUint8) {
    fmt::print(stderr,
               "sae_dist: warning: {} was trained on numbers as they are, {} has bytes, which are "
               "divided by 255.\n",
               input.model.string(), data.string());
  }
}

void check_decoder(const std::filesystem::path& model, const Topology& topology) {
  if (topology.reconstructs()) return;
  throw UsageError(fmt::format(
      "The model {} cannot reconstruct: --lateral or --normalization left it no decoder that works "
      "without the noisy values of a minibatch. Train with --finetune reconstruct to get one.",
      model.string()));
}

void check_layer(const std::filesystem::path& model, Index layer, const Topology& topology) {
  if (layer <= topology.hidden_layers()) return;
  throw UsageError(fmt::format("The model {} has {} hidden layers, so that --layer is not {}.",
                               model.string(), topology.hidden_layers(), layer));
}

void check_not_empty(const ModelInput& input, const std::filesystem::path& data,
                     const SampleSet& samples, const DatasetInfo& info) {
  if (samples.size() > 0) return;
  throw DataError(
      fmt::format("The data set {} has no samples in its {} split; "
                  "--split train --validation-size 0 takes its {} training samples.",
                  data.string(), input.split, info.train_count));
}

void warn_if_untrained(const ModelInput& input, const Checkpoint& model) {
  if (model.topology.classes == 0 || is_finetuned(model)) return;
  fmt::print(stderr,
             "sae_dist: warning: {} was saved before the first step of fine-tuning: its output "
             "layer is not trained, and the classes that it predicts mean nothing.\n",
             input.model.string());
}

void warn_if_decoder_is_old(const ModelInput& input, const Checkpoint& model) {
  if (model.topology.classes == 0 || !is_finetuned(model)) return;
  const Configuration config = recorded_configuration(model.config);
  if (config.finetune == Finetune::kJoint) return;
  fmt::print(stderr,
             "sae_dist: warning: {} was fine-tuned as a classifier, which {}a run with --finetune "
             "reconstruct rebuilds samples better.\n",
             input.model.string(),
             pretrains(config) ? "left its decoder as pretraining made it: pretrained.h5 of the "
                                 "same run, or "
                               : "does not train its decoder: ");
}

}  // namespace sae
