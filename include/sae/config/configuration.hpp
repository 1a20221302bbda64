#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <numbers>
#include <optional>
#include <type_traits>
#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/core/types.hpp"
#include "sae/data/distortion.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/scaling.hpp"
#include "sae/data/training_sets.hpp"
#include "sae/model/denoising_objective.hpp"
#include "sae/optim/learning_rate.hpp"

namespace sae {

/// Settings of one hidden layer and of its greedy pretraining.
struct LayerSettings {
  Index units = 1000;
  Activation activation = Activation::kSigmoid;
  double corruption = 0.3;  ///< Level of the noise.
  Index epochs = 5;
  double learning_rate = 0.03;
  std::optional<double> weight_decay = {};  ///< None: that of the configuration.
};

/// Whether the codes of finished layers are kept while the next one is pretrained.
enum class CacheCodes {
  kAuto,  ///< Where it can be done, there is one host, and they fit into its memory.
  kOn,
  kOff  ///< They are computed in every step.
};

/// Where the training samples are.
enum class DataPlacement {
  kAuto,        ///< Replicated where they fit into a quarter of each node's memory.
  kReplicated,  ///< All on each node, shared by its ranks: none travel while training.
  kSharded      ///< An equal part on each rank: ranks exchange what they need.
};

/// What the stage after pretraining trains, end to end.
enum class Finetune {
  kAuto,         ///< kClassify where there are labels, else kReconstruct.
  kClassify,     ///< A softmax classifier on top of the stack.
  kReconstruct,  ///< The deep autoencoder: the inputs through all layers and back.
  kJoint,        ///< Both at once, with noise: a denoising autoencoder that classifies.
  kNone          ///< Nothing: the run ends with pretraining.
};

/// Everything that a run is a function of, besides the samples and the number of ranks. The values
/// here are the defaults of the options, which settings() describes.
struct Configuration {
  std::filesystem::path data;
  DataAccess data_access = DataAccess::kScatter;
  std::filesystem::path run;  ///< Folder of the results.
  std::uint64_t seed = 1;
  /// Of the initial weights; see initialize_parameters(). None: what suits each layer.
  std::optional<double> initial_scale;

  /// Of the inputs. None: not decided; bernoulli if they are within [0, 1], else gaussian.
  std::optional<Visible> visible;
  Decoder decoder = Decoder::kTied;
  Normalization normalization = Normalization::kNone;
  bool lateral = false;  ///< Whether the decoder of kJoint has lateral connections.

  std::vector<LayerSettings> layers = std::vector<LayerSettings>(3);
  NoiseKind noise = NoiseKind::kMasking;
  CorruptionAt corruption_at = CorruptionAt::kLayer;
  Schedule pretrain_schedule = Schedule::kLinear;

  std::filesystem::path initial_model;  ///< Parameters and scaling to start with; empty: none.
  Finetune finetune = Finetune::kAuto;
  Index early_stop = 0;  ///< Epochs without a better validation figure that end it; 0: none do.
  Index finetune_epochs = 15;
  /// None: not decided; see finetune_learning_rate_of().
  std::optional<double> finetune_learning_rate;
  Schedule finetune_schedule = Schedule::kLinear;
  /// Of kClassify and kJoint: of the inputs and of every layer before its activation.
  NoiseKind finetune_noise = NoiseKind::kGaussian;
  double finetune_corruption = 0;  ///< Level of that noise.
  double dropout = 0;
  double label_smoothing = 0;
  /// Of kJoint: times the squared error of the inputs, averaged over features.
  double reconstruction_weight = 2000;
  /// Labelled samples that are drawn besides those of a minibatch. None: not decided; as many as
  /// there are, at most 100, where not all samples have labels.
  std::optional<Index> labelled_batch;

  Index batch_size = 100;  ///< Samples per update over all ranks together.
  OptimizerKind optimizer = OptimizerKind::kSgd;
  double momentum = 0.9;
  double weight_decay = 1e-5;
  double clip_gradient_norm = 0;  ///< Longest gradient of the mean loss; 0: any.
  double max_norm = 0;            ///< Longest incoming weights of a hidden unit; 0: any.
  double weight_average = 0;      ///< Decay of an average of the parameters; 0: none.
  double schedule_start = 0;  ///< Share of a stage after which the learning rate begins to fall.
  double learning_rate_decay = 0.95;     ///< Per epoch, for exponential schedules.
  double warmup_epochs = 0;              ///< Of every stage.
  std::optional<Index> validation_size;  ///< None: not decided; a tenth, at most 5,000.
  /// None: not decided; random.
  std::optional<ValidationChoice> validation;
  Index labelled = 0;  ///< Training samples whose labels are used; 0: all.
  /// None: not decided; none for bytes and values within [0, 1], else standard.
  std::optional<ScalingKind> scale;

  Distortion distortion = {};  ///< Of the images of every update.

  /// Of the operands of products, and of gradients between ranks. None: not decided.
  std::optional<Precision> precision;
  std::optional<Precision> gradient_precision;
  Averaging averaging = Averaging::kAuto;
  Index local_steps = 32;             ///< Of kLocal: updates between two averages.
  std::optional<Index> local_groups;  ///< Of kLocal. None: not decided; one for each host.
  double outer_learning_rate = 1;     ///< Of kLocal.
  double outer_momentum = 0.5;
  CacheCodes cache_codes = CacheCodes::kAuto;
  DataPlacement data_placement = DataPlacement::kAuto;
  Index threads = 1;  ///< Of each rank; 0: not decided.

  bool reproducible = false;  ///< The same bits for 1, 2, 4, 8 or 16 ranks.
};

/// Decides a setting that is none: as the resumed run did, where there is one, else as `here`.
template <typename Value>
void decide(Configuration& c, std::optional<Value> Configuration::*setting,
            const Configuration* resumed, std::type_identity_t<Value> here) {
  if (!(c.*setting)) c.*setting = resumed != nullptr ? resumed->*setting : here;
}

/// Of the operands of products once that is decided; float32 before.
inline Precision precision_of(const Configuration& c) {
  return c.precision.value_or(Precision::kFloat32);
}

/// Where it is not decided, what suits all layers; none if they need different ones.
inline std::optional<double> initial_scale_of(const Configuration& c) {
  if (c.initial_scale) return c.initial_scale;
  const double first = suitable_initial_scale(c.layers.front().activation);
  for (const LayerSettings& layer : c.layers) {
    if (suitable_initial_scale(layer.activation) != first) return {};
  }
  return first;
}

/// Where it is not decided, what suits optimizer and objective.
inline double finetune_learning_rate_of(const Configuration& c) {
  if (c.finetune_learning_rate) return *c.finetune_learning_rate;
  if (c.optimizer == OptimizerKind::kAdam || c.optimizer == OptimizerKind::kAdamW)
    return c.finetune == Finetune::kJoint ? 0.002 : 0.001;
  return c.finetune == Finetune::kReconstruct ? 0.05 : 0.6;
}

/// Whether end to end training is by labels.
inline bool uses_labels(const Configuration& c) {
  return c.finetune == Finetune::kClassify || c.finetune == Finetune::kJoint;
}

/// Of the inputs once that is decided; bernoulli before.
inline Visible visible_of(const Configuration& c) {
  return c.visible.value_or(Visible::kBernoulli);
}

/// The epochs of a stage: a hidden layer's pretraining, from 0 on; then the fine-tuning.
inline Index epochs_of(const Configuration& c, Index stage) {
  const auto layer = static_cast<std::size_t>(stage);
  if (layer < c.layers.size()) return c.layers[layer].epochs;
  return c.finetune == Finetune::kNone ? 0 : c.finetune_epochs;
}

/// Whether any hidden layer is pretrained.
inline bool pretrains(const Configuration& c) {
  return std::ranges::any_of(c.layers, [](const auto& layer) { return layer.epochs > 0; });
}

/// How the training split is divided.
inline SetSettings set_settings(const Configuration& c) {
  return {.validation = c.validation.value_or(ValidationChoice::kRandom),
          .validation_size = c.validation_size.value_or(0),
          .labelled = c.labelled > 0 ? std::optional(c.labelled) : std::nullopt,
          .seed = c.seed};
}

/// Groups of ranks that compute updates of their own, once that is decided.
inline Index groups_of(const Configuration& c) {
  return c.averaging == Averaging::kLocal ? c.local_groups.value_or(1) : 1;
}

/// Samples that all ranks together take at a time: those of an update, of each group.
inline Index samples_per_step(const Configuration& c) { return c.batch_size * groups_of(c); }

/// What the configuration says of averaging. A reproducible run adds up in an order of its own,
/// in float32, and each rank holds everything.
inline AveragingSettings averaging_settings(const Configuration& c) {
  return {.strategy = c.reproducible ? Averaging::kFlat : c.averaging,
          .products = precision_of(c),
          .gradient = c.reproducible ? Precision::kFloat32
                                     : c.gradient_precision.value_or(Precision::kFloat32),
          .optimizer = {.kind = c.optimizer,
                        .momentum = c.momentum,
                        .clip_gradient_norm = c.clip_gradient_norm,
                        .max_norm = c.max_norm},
          .weight_average = c.weight_average,
          .local = {.groups = groups_of(c),
                    .steps = c.local_steps,
                    .outer_learning_rate = c.outer_learning_rate,
                    .outer_momentum = c.outer_momentum},
          .reproducible = c.reproducible};
}

}  // namespace sae
