#pragma once

#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/distortion.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/data/replica.hpp"
#include "sae/run/run_session.hpp"
#include "sae/train/code_cache.hpp"
#include "sae/train/data_placement.hpp"
#include "sae/train/labelled_batches.hpp"
#include "sae/train/observer.hpp"
#include "sae/train/run_control.hpp"
#include "sae/train/run_data.hpp"
#include "sae/train/stage.hpp"

namespace sae {

/// Trains a stacked denoising autoencoder: each hidden layer on the codes of the layers below, then
/// the whole stack as a classifier. All ranks hold the same parameters after each update. Saves
/// checkpoints and resumes from them.
class Trainer {
 public:
  /// Loads this rank's shards and, if requested, the checkpoint to resume. The arguments must
  /// outlive the trainer.
  /// Collective. Throws: DataError if the data set does not suit the configuration or no checkpoint
  /// can be used, UsageError if the checkpoint has other settings, OutputError if the folder is in
  /// use or cannot be written, MissingInputError if there is no checkpoint.
  Trainer(const Configuration& configuration, const RunControl& control,
          DistributedDataset& dataset, Communicator& comm, TrainingObserver& observer);
  ~Trainer();

  /// Trains all stages, writes model.h5 and best.h5 to the run's folder, and evaluates them. If
  /// asked to stop, writes a checkpoint and returns.
  /// Collective. Throws: OutputError, CommunicationError, DivergedError; SupersededError if a newer
  /// session takes the run's folder.
  RunResult run();

  /// Frees shared memory and communicators, which MPI otherwise keeps until it is finalized. For
  /// programs that train more than once. No member may be called afterwards. Collective.
  void close();

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
  bool classifies() const { return layout_.topology().classes > 0; }
  /// What minibatches are made of.
  const Shard& training_shard(const Stage& stage) const {
    return data_->shard_for(stage.finetunes && classifies() &&
                            configuration_.finetune != Finetune::kJoint);
  }
  /// Of an epoch over so many samples.
  Index steps_of_epoch(Index samples) const {
    return steps_per_epoch(samples, samples_per_step(configuration_));
  }
  /// What a stage streams for `samples`: them, or the copy of all on this node. Collective.
  const Shard& streamed(const Shard& samples);
  /// Whether --early-stop ends the stage after the epoch that is done.
  bool stops_early(const Stage& stage) const;
  /// Factor of the learning rate: halved by each divergence.
  double rate_factor() const { return std::ldexp(1.0, -static_cast<int>(state_.divergences)); }
  Outcome train_stage(const Stage& stage);
  Outcome train_epoch(const Stage& stage, const Shard& inputs);
  /// `samples_before`: samples of the epoch that an earlier session trained.
  void finish_epoch(const Stage& stage, double seconds, double communication_seconds,
                    double samples_before);
  bool train_step(const Stage& stage, Minibatch<float>& minibatch, double learning_rate,
                  StepSums& sums);
  /// What is evaluated and saved as a model: the average of the parameters while the end is
  /// trained, where there is one, else the parameters.
  std::span<float> model_parameters();
  /// Of batch normalisation, for the layers that the stage trains.
  void update_layer_statistics(const Stage& stage);
  std::vector<RankTime> gather_times();
  bool is_time_to_stop() const;
  std::string why_stopped() const;

  // trainer_start.cpp: how a run begins and is resumed.
  void decide_precision(const std::optional<Configuration>& resumed);
  /// Of the samples, and of the codes that are kept of them.
  double bytes_to_replicate() const;
  void load_data(DistributedDataset& dataset, const std::optional<Configuration>& resumed);
  std::string added_epochs_note() const;
  void broadcast_state();
  void restart();
  void roll_back();

  // trainer_summary.cpp: what a run reports.
  RunSummary summary();
  RunResult evaluate_models(bool stopped);
  /// Warns once per stage if the loss has doubled or the classifier is no better than guessing.
  void warn_of_no_progress(const Stage& stage, double loss);
  double seconds_of_session() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - clock_.start).count();
  }

  // trainer_start.cpp: saving, and reports of it.
  void save_and_wait(CheckpointStore::Files files);
  void report_saves();
  void report_warnings();

  /// Time and steps of this session.
  struct SessionClock {
    using Clock = std::chrono::steady_clock;

    explicit SessionClock(StepProfile* profile) : part_times(profile) {}

    Clock::time_point start = Clock::now();
    Clock::time_point last_report = start;  ///< When times were last gathered.
    PartTimes part_times;                   ///< Since last_report.
    Index steps = 0;
    bool loss_warned = false;  ///< Whether this stage's loss has caused a warning.
  };

  Configuration configuration_;  ///< With `auto` resolved.
  const RunControl& control_;
  Communicator& comm_;
  TrainingObserver& observer_;
  ParameterLayout layout_;
  SessionClock clock_;
  std::unique_ptr<RunSession> session_;  ///< Null on ranks other than 0.
  std::unique_ptr<RunData> data_;
  std::optional<LabelledBatches> labelled_;  ///< Where --labelled-batch is not 0.
  std::optional<Distorter> distorter_;       ///< Where images are distorted.
  std::vector<Stage> stages_;
  CodeCaching codes_;
  PlacementOfData placement_;
  std::optional<Replica> all_training_, all_labelled_;  ///< Where samples are replicated.
  std::unique_ptr<GradientAveraging> averaging_;
  RunState state_;  ///< The same on all ranks.
};

}  // namespace sae
