#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sae/config/configuration.hpp"
#include "sae/core/error.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/train/evaluation.hpp"
#include "sae/train/step_profile.hpp"

namespace sae {

/// What a stage will cost, known before it begins.
struct StageSummary {
  std::string name;
  Index epochs = 0;
  Index steps_per_epoch = 0;
  double flop_per_epoch = 0;  ///< Over all ranks.
};

/// What is known before the first update: the start table.
struct RunSummary {
  Topology topology = {};
  DatasetInfo dataset = {};
  Index parameters = 0;
  Index training_samples = 0;
  Index validation_samples = 0;
  Index test_samples = 0;
  std::vector<std::string> hosts = {};      ///< Of each rank.
  std::vector<std::string> placement = {};  ///< A line a host: its ranks and their cores.
  Precision precision{};                    ///< Of the operands of products.
  std::string averaging = {};               ///< Such as "node, bfloat16 gradients".
  std::string settings = {};                ///< As config.cfg: with what was decided by itself.
  std::string codes = {};       ///< Of finished layers: kept or computed in every step, and why.
  double memory_per_rank = 0;   ///< Bytes, the largest of all ranks, estimated.
  double available_memory = 0;  ///< Bytes, on the host of rank 0.
  std::vector<StageSummary> stages = {};
  std::vector<DenoisingSettings> pretraining = {};  ///< By layer.
  std::vector<std::string> notes = {};              ///< How the run was resumed, a sentence each.
  std::string history = {};                         ///< Lines of metrics.jsonl before this session.
  /// To be called before anything is written into the run's folder, with the file open already;
  /// see RunGeneration. Throws: SupersededError if the folder is another session's by now.
  std::function<void()> check_generation = [] {};
  Index step = 0;  ///< Updates of the run before this session.
  /// The model as it is, in the layout of the topology: may be read during calls of the observer,
  /// and changes between them.
  std::span<const float> live_parameters = {};
  /// The first validation samples, else training samples: for pictures.
  Minibatch<float> preview = {};
};

/// One update.
struct StepReport {
  std::size_t stage = 0;  ///< Index into RunSummary::stages.
  Index epoch = 0;        ///< Counted from 1.
  Index step = 0;         ///< Updates of this epoch that are done.
  Index run_step = 0;     ///< Updates of the whole run.
  double learning_rate = 0;
  double loss = 0;                 ///< Mean over the minibatch.
  Index samples = 0;               ///< Of the minibatch, over all ranks.
  double communication_share = 0;  ///< Share of the epoch's time so far, on this rank.
  double samples_per_second = 0;   ///< Over the epoch so far and all ranks.
};

/// Where the time of a rank went.
struct RankTime {
  PartSeconds parts{};
  double total = 0;  ///< With what belongs to no part.
};

/// One epoch: a line of metrics.jsonl.
struct EpochReport {
  std::string stage = {};
  Index epoch = 0;           ///< Of the stage, counted from 1.
  Index epochs = 0;          ///< Of the stage.
  Index step = 0;            ///< Updates of the whole run.
  double learning_rate = 0;  ///< Of the last update.
  double loss = 0;           ///< Mean over the epoch, of the network as it was at each step.
  std::optional<double> train_error = {};     ///< Percent, likewise; in fine-tuning.
  std::optional<Evaluation> validation = {};  ///< After the epoch; in fine-tuning.
  Index samples = 0;
  double seconds = 0;
  double samples_per_second = 0;
  double communication_share = 0;
  bool best = false;  ///< The lowest validation error so far.
  /// Since the end of the epoch before, of each rank. What follows an epoch counts for the next.
  std::vector<RankTime> times = {};
};

/// A model and how it does.
struct ModelResult {
  std::string file;  ///< Name within the run folder.
  Index epoch = 0;   ///< Of fine-tuning.
  std::optional<Evaluation> validation;
  std::optional<Evaluation> test;
  /// The samples of the test set, else of the validation set, with the largest losses.
  std::vector<HardSample> hardest;
};

struct RunResult {
  std::vector<ModelResult> models;  ///< The final one, then the one chosen by validation error.
  double seconds = 0;               ///< Of this session.
  bool stopped = false;             ///< In good order before its end; models is empty then.
  std::string stopped_by = {};      ///< Such as "SIGTERM" or "--max-time", if stopped.
  Index step = 0;                   ///< Updates of the whole run.
};

/// Is told how the training goes, on rank 0 alone. Each function may be left out; none is
/// collective.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void run_begins(const RunSummary&) {}
  virtual void step_done(const StepReport&) {}
  virtual void epoch_done(const EpochReport&) {}
  /// A checkpoint is about to be written: a session may resume from the last update reported.
  virtual void checkpoint_begins() {}
  /// A checkpoint of so many updates has been written and verified.
  virtual void checkpoint_saved(Index /*step*/) {}
  /// Something went wrong that the training survives.
  virtual void warning(const std::string& /*sentence*/) {}
  /// The training went back to where `step` updates of the run are done: the epochs so far are
  /// those of `history`, as in metrics.jsonl.
  virtual void rewound(Index /*step*/, const std::string& /*history*/) {}
  virtual void run_done(const RunResult&) {}
  /// The session fails: the last call. It is the only one if the session fails before it begins.
  virtual void run_failed(ExitCode, const std::string& /*sentence*/) {}
};

}  // namespace sae
