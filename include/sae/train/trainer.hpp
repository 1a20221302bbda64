#pragma once

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sae/averaging/reproducible_sum.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/run/checkpoint_store.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/run/run_generation.hpp"
#include "sae/train/code_cache.hpp"
#include "sae/train/observer.hpp"
#include "sae/train/run_control.hpp"
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

  /// Gives back what ranks share, which MPI would keep until it ends; only to be destroyed then.
  /// For programs that train more than once. Collective.
  void close() { averaging_->close(); }

  const ParameterLayout& layout() const { return layout_; }
  /// A copy. Local.
  Vector<float> parameters() const;

 private:
  enum class Outcome { kDone, kStopped, kDiverged };

  // trainer.cpp: the loop.
  Outcome train_remaining_stages();
  const Stage& current_stage() const {
    return stages_[static_cast<std::size_t>(state_.progress.stage)];
  }
  /// After divergences.
  double rate_factor() const { return std::ldexp(1.0, -static_cast<int>(state_.divergences)); }
  Outcome train_stage(const Stage& stage);
  Outcome train_epoch(const Stage& stage, const Shard& inputs);
  /// `samples_before`: of the epoch, those that an earlier session trained.
  void finish_epoch(const Stage& stage, double seconds, double communication_seconds,
                    double samples_before);
  bool train_step(const Stage& stage, const Minibatch<float>& minibatch, double learning_rate,
                  StepSums& sums);
  std::vector<RankTime> gather_times();
  bool is_time_to_stop() const;
  std::string why_stopped() const;

  // trainer_checkpoints.cpp: how a run begins and is resumed.
  std::uint64_t digest_of_data() const;
  void decide_precision(const std::optional<Configuration>& begun);
  std::optional<FoundCheckpoint> find_checkpoint() const;
  void begin(std::optional<FoundCheckpoint> found, const std::filesystem::path& newest);
  void load(std::optional<FoundCheckpoint> found);
  std::string more_epochs(Index before) const;
  void clear_folder(bool from_elsewhere);
  void recover_best(const std::vector<std::filesystem::path>& places);
  std::optional<Checkpoint> best_in(const std::filesystem::path& path) const;
  void share_state();
  void restart();
  void roll_back();

  void copy_model(Checkpoint& copy) const;
  void copy_run(Checkpoint& copy) const;

  // trainer_summary.cpp: what a run reports.
  RunSummary summary();
  RunResult evaluate_models(bool stopped);
  /// Warns once a stage of a loss that has risen far or of a classifier that has learnt nothing.
  void warn_of_no_progress(const Stage& stage, double loss);
  double seconds_of_session() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - session_start_).count();
  }

  // trainer_saving.cpp: what is saved.
  void copy_for_save();
  void save_if_due(bool epoch_ended);
  void save_and_wait(CheckpointStore::Files files);
  void check_saved();
  void tell_of_saves();
  void tell_warnings();

  Configuration configuration_;  ///< With what was decided.
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
  std::uint64_t data_digest_ = 0;  ///< Of the three.
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
  std::unique_ptr<CheckpointStore> store_;
  std::optional<RunGeneration> generation_;  ///< Since the folder is ours.
  std::vector<std::string> notes_;           ///< How the run was resumed, for the user.
  std::vector<std::string> decisions_;       ///< What was kept as the run began, likewise.
  std::vector<std::string> warnings_;        ///< To be given once the run has begun.
  std::chrono::steady_clock::time_point last_save_ = session_start_;
  bool loss_warned_ = false;  ///< Whether a warning named the stage's loss.
  bool overdue_ = false;      ///< A checkpoint is due, and the last one still being written.
};

}  // namespace sae
