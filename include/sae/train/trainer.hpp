#pragma once

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/run/run_session.hpp"
#include "sae/train/code_cache.hpp"
#include "sae/train/observer.hpp"
#include "sae/train/run_control.hpp"
#include "sae/train/run_data.hpp"
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

  // trainer_start.cpp: how a run begins and is resumed.
  void decide_precision(const std::optional<Configuration>& begun);
  std::string more_epochs() const;
  void share_state();
  void restart();
  void roll_back();

  // trainer_summary.cpp: what a run reports.
  RunSummary summary();
  RunResult evaluate_models(bool stopped);
  /// Warns once a stage of a loss that has risen far or of a classifier that has learnt nothing.
  void warn_of_no_progress(const Stage& stage, double loss);
  double seconds_of_session() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - clock_.start).count();
  }

  // What is saved, and told.
  void save_and_wait(CheckpointStore::Files files);
  void report_saves();
  void report_warnings();

  /// How far this session is.
  struct SessionClock {
    using Clock = std::chrono::steady_clock;

    explicit SessionClock(StepProfile* profile) : part_times(profile) {}

    Clock::time_point start = Clock::now();
    Clock::time_point last_report = start;  ///< When the ranks told each other their times.
    PartTimes part_times;                   ///< Since then.
    Index steps = 0;
    bool loss_warned = false;  ///< Whether a warning named the stage's loss.
  };

  Configuration configuration_;  ///< With what was decided.
  const RunControl& control_;
  Communicator& comm_;
  TrainingObserver& observer_;
  ParameterLayout layout_;
  SessionClock clock_;
  std::unique_ptr<RunSession> session_;  ///< On rank 0.
  std::unique_ptr<const RunData> data_;
  std::vector<Stage> stages_;
  CodeCaching codes_;
  std::unique_ptr<GradientAveraging> averaging_;
  RunState state_;  ///< The same on all ranks.
};

}  // namespace sae
