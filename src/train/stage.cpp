#include "sae/train/stage.hpp"

#include <fmt/format.h>

#include "sae/core/error.hpp"
#include "sae/model/autoencoder_objective.hpp"
#include "sae/model/classifier_objective.hpp"
#include "sae/model/joint_objective.hpp"

namespace sae {
namespace {

/// Makes an objective with the operand and gradient types of the configuration.
template <template <typename, typename> typename Kind, typename... Arguments>
std::shared_ptr<Objective<float>> make_objective(const Configuration& configuration,
                                                 const Arguments&... arguments) {
  if (precision_of(configuration) == Precision::kFloat32) {
    return std::make_shared<Kind<float, float>>(arguments...);
  }
  if (averaging_settings(configuration).gradient == Precision::kFloat32) {
    return std::make_shared<Kind<bfloat16, float>>(arguments...);
  }
  return std::make_shared<Kind<bfloat16, bfloat16>>(arguments...);
}

std::shared_ptr<Objective<float>> pretraining_objective(const Configuration& configuration,
                                                        const ParameterLayout& layout,
                                                        const DenoisingSettings& settings) {
  const Topology& topology = layout.topology();
  if (topology.reconstructs()) {
    return make_objective<DenoisingObjective>(configuration, layout, settings);
  }
  // Half the squared error, summed over the inputs, as of Gaussian units.
  const JointSettings joint{
      .layers = {settings.layer, settings.layer + 1},
      .reconstruction_weight = static_cast<double>(topology.inputs_of(settings.layer)) / 2,
      .inputs = settings};
  return make_objective<JointObjective>(configuration, layout, joint);
}

std::shared_ptr<Objective<float>> finetuning_objective(
    const Configuration& c, const ParameterLayout& layout, std::uint32_t stage,
    const std::shared_ptr<const Matrix<float>>& donors) {
  if (layout.topology().classes == 0) return make_objective<AutoencoderObjective>(c, layout);
  const bool joint = c.finetune == Finetune::kJoint;
  const bool plain = layout.topology().reconstructs() && c.finetune_corruption == 0 &&
                     c.label_smoothing == 0 && c.dropout == 0;
  if (plain && !joint) return make_objective<ClassifierObjective>(c, layout);
  const Noise noise{c.finetune_noise, c.finetune_corruption};
  const JointSettings settings{
      .layers = {0, layout.topology().hidden_layers()},
      .classifies = true,
      .dropout = c.dropout,
      .label_smoothing = c.label_smoothing,
      .reconstruction_weight = joint ? c.reconstruction_weight : 0,
      .inputs = {.noise = noise, .seed = c.seed, .stage = stage, .donors = donors},
      .layer_noise = noise};
  return make_objective<JointObjective>(c, layout, settings);
}

}  // namespace

Topology topology_for(const Configuration& configuration, const DatasetInfo& info) {
  const bool classifies = configuration.finetune == Finetune::kAuto || uses_labels(configuration);
  Topology topology{.inputs = info.features,
                    .hidden = {},
                    .classes = classifies ? info.classes : 0,
                    .visible = visible_of(configuration),
                    .decoder = configuration.decoder,
                    .normalization = configuration.normalization,
                    .lateral = configuration.lateral};
  for (const LayerSettings& layer : configuration.layers) {
    topology.hidden.emplace_back(layer.units, layer.activation);
  }
  return topology;
}

std::vector<std::string> stage_names(const Configuration& configuration) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < configuration.layers.size(); ++i) {
    names.push_back(fmt::format("pretrain{}", i + 1));
  }
  names.emplace_back("finetune");
  return names;
}

DenoisingSettings denoising_settings(const Configuration& configuration, Index layer,
                                     std::shared_ptr<const Matrix<float>> donors) {
  return {.layer = layer,
          .noise = {configuration.noise,
                    configuration.layers[static_cast<std::size_t>(layer)].corruption},
          .corruption_at = configuration.corruption_at,
          .seed = configuration.seed,
          .stage = static_cast<std::uint32_t>(layer),
          .donors = std::move(donors)};
}

void decide_local_groups(Configuration& configuration, const Configuration* resumed,
                         Communicator& comm) {
  if (configuration.averaging != Averaging::kLocal) return;
  decide(configuration, &Configuration::local_groups, resumed, count_hosts(comm));
  const Index groups = groups_of(configuration);
  if (groups <= comm.size()) return;
  throw UsageError(fmt::format("The {} groups of --averaging local need as many ranks, not {}.",
                               groups, comm.size()));
}

std::vector<Stage> plan_stages(const Configuration& configuration, const ParameterLayout& layout,
                               const std::shared_ptr<const Matrix<float>>& donors) {
  const auto learning_rate = [&](double initial, Schedule schedule, Index epochs) {
    return LearningRate{.initial = initial,
                        .schedule = schedule,
                        .decay_per_epoch = configuration.learning_rate_decay,
                        .warmup_epochs = configuration.warmup_epochs,
                        .start = configuration.schedule_start,
                        .epochs = static_cast<double>(epochs)};
  };
  const std::vector<std::string> names = stage_names(configuration);
  std::vector<Stage> stages;
  for (std::size_t i = 0; i < configuration.layers.size(); ++i) {
    const LayerSettings& layer = configuration.layers[i];
    Stage stage;
    stage.name = names[i];
    stage.index = static_cast<std::uint32_t>(i);
    stage.epochs = layer.epochs;
    stage.learning_rate =
        learning_rate(layer.learning_rate, configuration.pretrain_schedule, layer.epochs);
    stage.weight_decay = layer.weight_decay.value_or(configuration.weight_decay);
    stage.objective = pretraining_objective(
        configuration, layout, denoising_settings(configuration, static_cast<Index>(i), donors));
    stages.push_back(std::move(stage));
  }
  Stage finetune;
  finetune.name = names.back();
  finetune.index = static_cast<std::uint32_t>(stages.size());
  finetune.finetunes = true;
  finetune.epochs = epochs_of(configuration, finetune.index);
  finetune.learning_rate = learning_rate(finetune_learning_rate_of(configuration),
                                         configuration.finetune_schedule, finetune.epochs);
  finetune.weight_decay = configuration.weight_decay;
  finetune.objective = finetuning_objective(configuration, layout, finetune.index, donors);
  stages.push_back(std::move(finetune));
  return stages;
}

}  // namespace sae
