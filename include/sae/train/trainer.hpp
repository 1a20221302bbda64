#pragma once

#include <optional>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/train/checkpoint.hpp"
#include "sae/train/observer.hpp"
#include "sae/train/run_folder.hpp"
#include "sae/train/stage.hpp"

namespace sae {

/// Trains a stacked denoising autoencoder: each hidden layer on the codes of the finished ones
/// below, then the whole stack as a classifier. All ranks hold the same parameters after
/// each update.
class Trainer {
 public:
  /// Loads this rank's shards. The arguments must outlive the trainer.
  /// Collective. Throws: DataError if the data set does not suit the configuration.
  Trainer(const Configuration& configuration, DistributedDataset& dataset, Communicator& comm,
          TrainingObserver& observer);

  /// Trains all stages, leaves model.h5 and best.h5 in the run's folder, and evaluates them.
  /// Collective. Throws: OutputError, CommunicationError.
  RunResult run();

  const ParameterLayout& layout() const { return layout_; }
  const Vector<float>& parameters() const { return parameters_; }

 private:
  /// The sums of an epoch and the time it took.
  struct EpochTotals {
    ObjectiveSums sums;
    Index steps = 0;
    double seconds = 0;
    double communication_seconds = 0;
  };

  RunSummary summary();
  void train_stage(const Stage& stage);
  EpochTotals train_epoch(const Stage& stage, Index epoch);
  void update(const Stage& stage, double learning_rate, Index batch_size);
  void keep_if_best(EpochReport& report);
  void save(const std::filesystem::path& path, const Vector<float>& parameters,
            const Progress& progress) const;

  const Configuration& configuration_;
  DistributedDataset& dataset_;
  Communicator& comm_;
  TrainingObserver& observer_;
  RunFolder folder_;
  ParameterLayout layout_;
  std::vector<Stage> stages_;
  Shard training_;
  Shard validation_;
  Shard test_;
  Vector<float> parameters_;
  Vector<float> gradient_;
  Vector<float> velocity_;  ///< Empty without momentum.
  Progress progress_;

  /// The parameters of the epoch with the lowest validation error.
  struct Best {
    Vector<float> parameters;
    Evaluation validation;
    Index epoch = 0;
  };
  std::optional<Best> best_;
};

}  // namespace sae
