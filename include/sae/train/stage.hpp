#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/config/configuration.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// One stage of a run: the pretraining of one layer, or the fine-tuning of all.
struct Stage {
  std::string name;         ///< "pretrain1", ..., "finetune".
  std::uint32_t index = 0;  ///< Position in the run; part of the keys of random numbers.
  bool finetunes = false;
  Index epochs = 0;
  LearningRate learning_rate;
  double weight_decay = 0;
  std::shared_ptr<Objective<float>> objective;
};

/// The network of a configuration for a data set.
Topology topology_for(const Configuration& configuration, const DatasetInfo& info);

/// The names of the stages of a run, in order.
std::vector<std::string> stage_names(const Configuration& configuration);

/// Settings for pretraining a hidden layer, counted from 0.
DenoisingSettings denoising_settings(const Configuration& configuration, Index layer,
                                     std::shared_ptr<const Matrix<float>> donors = {});

/// Decides how many groups --averaging local has: as the resumed run, if there is one (else null).
/// Collective. Throws: UsageError if there are fewer ranks.
void decide_local_groups(Configuration& configuration, const Configuration* resumed,
                         Communicator& comm);

/// The stages of a run, in order. The layout must outlive them. `donors` as in DenoisingSettings.
std::vector<Stage> plan_stages(const Configuration& configuration, const ParameterLayout& layout,
                               const std::shared_ptr<const Matrix<float>>& donors = {});

}  // namespace sae
