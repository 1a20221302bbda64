#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/train/checkpoint_store.hpp"
#include "sae/train/code_cache.hpp"
#include "sae/train/observer.hpp"
#include "sae/train/reproducible_sum.hpp"
#include "sae/train/run_control.hpp"
#include "sae/train/run_folder.hpp"
#include "sae/train/run_generation.hpp"
#include "sae/train/stage.hpp"

namespace sae {

/// Trains a stacked denoising autoencoder: each hidden layer on the codes of the finished ones
/// below, then the whole stack as a classifier. All ranks hold the same parameters after
/// each update. Saves checkpoints while it goes on, and goes on from one.
class Trainer {
 public:
  /// Loads this rank's shards, and the checkpoint to go on from if that is asked for. The
  /// arguments must outlive the trainer.
  /// Collective. Throws: DataError if the data set does not suit the configuration or no
  /// checkpoint can be used, UsageError if the checkpoint is of other settings, OutputError if
  /// the folder is in use or cannot be written, MissingInputError if there is no checkpoint.
  Trainer(const Configuration& configuration, const RunControl& control,
          DistributedDataset& dataset, Communicator& comm, TrainingObserver& observer);
  ~Trainer();

  /// Trains all stages, leaves model.h5 and best.h5 in the run's folder, and evaluates them; or
  /// stops where it is asked to, with a checkpoint.
  /// Collective. Throws: OutputError, CommunicationError, DivergedError; SupersededError if another
  /// session takes the run's folder.
  RunResult run();

  const ParameterLayout& layout() const { return layout_; }
  /// A copy. Local.
  Vector<float> parameters() const;

 private:
  enum class Outcome { kDone, kStopped, kDiverged };

  // trainer.cpp: the loop.
  RunSummary summary();
  Outcome train_remaining_stages();
  const Stage& current_stage() const {
    return stages_[static_cast<std::size_t>(state_.progress.stage)];
  }
  Outcome train_stage(const Stage& stage);
  Outcome train_epoch(const Stage& stage, const Shard& inputs);
  void finish_epoch(const Stage& stage, double seconds, double communication_seconds);
  bool train_step(const Stage& stage, const Minibatch<float>& minibatch, double learning_rate,
                  StepSums& sums);
  std::vector<RankTime> gather_times();
  bool is_time_to_stop() const;
  RunResult judge_models(bool stopped);

  // trainer_checkpoints.cpp: what is saved and loaded.
  void begin();
  void load_newest();
  void open_folder();
  void load(std::optional<FoundCheckpoint> found);
  void share_state();
  void restart();
  void roll_back();
  void save(bool as_checkpoint, std::optional<std::filesystem::path> also);
  void save_if_due(bool epoch_ended);
  void save_and_wait(std::optional<std::filesystem::path> also);
  void tell_of_saves();

  const Configuration& configuration_;
  const RunControl& control_;
  DistributedDataset& dataset_;
  Communicator& comm_;
  TrainingObserver& observer_;
  RunFolder folder_;
  ParameterLayout layout_;
  std::vector<Stage> stages_;
  ReproducibleSum reproducible_sum_;
  Shard training_;
  Shard validation_;
  Shard test_;
  CodeCaching codes_;
  std::chrono::steady_clock::time_point session_start_ = std::chrono::steady_clock::now();
  Index steps_of_session_ = 0;
  PartTimes part_times_{control_.profile};  ///< Since the ranks told each other last.
  std::chrono::steady_clock::time_point told_ = session_start_;

  // The state of the run: what a checkpoint holds. The same on all ranks, but for history_.
  std::unique_ptr<GradientAveraging> averaging_;
  RunState state_;
  std::string history_;  ///< On rank 0.

  // Rank 0's alone.
  Vector<float> best_parameters_;
  std::unique_ptr<CheckpointStore> store_;
  std::optional<RunGeneration> generation_;  ///< Since the folder is ours.
  std::optional<bool> codes_as_begun_;       ///< Kept by the run that is gone on with.
  std::vector<std::string> notes_;           ///< How the run was resumed, for the user.
  std::chrono::steady_clock::time_point last_save_ = session_start_;
  double save_seconds_ = 0;  ///< How long the last copy for a checkpoint took.
};

}  // namespace sae
