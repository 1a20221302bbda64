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

/// Planned work of a stage.
struct StageSummary {
  std::string name;
  Index epochs = 0;
  Index steps_per_epoch = 0;
  double flop_per_epoch = 0;  ///< Over all ranks.
};

/// What is known before the first update; contents of the start table.
struct RunSummary {
  Topology topology = {};
  DatasetInfo dataset = {};
  bool shows_pixels = true;  ///< Whether inputs are within [0, 1] as they are in the file.
  Index parameters = 0;
  Index training_samples = 0;
  Index labelled_samples = 0;  ///< Of them, those whose labels are used.
  Index validation_samples = 0;
  Index test_samples = 0;
  std::vector<std::string> hosts = {};      ///< By rank.
  std::vector<std::string> placement = {};  ///< One line per host: its ranks and their cores.
  Precision precision{};                    ///< Of the operands of products.
  std::string averaging = {};               ///< Such as "node, bfloat16 gradients".
  std::string settings = {};                ///< As config.cfg, with `auto` resolved.
  std::string codes = {};                   ///< Whether codes are cached, and why.
  std::string data_placement = {};          ///< Where training samples are, and why.
  double memory_per_rank = 0;               ///< Estimate in bytes, the largest of all ranks.
  double available_memory = 0;              ///< Bytes, on the host of rank 0.
  std::vector<StageSummary> stages = {};
  std::vector<DenoisingSettings> pretraining = {};  ///< By layer.
  std::vector<std::string> notes = {};  ///< Sentences about how the run was started or resumed.
  std::string history = {};             ///< Lines of metrics.jsonl of earlier sessions.
  /// Call it before each write to the run's folder, with the file already open; see RunGeneration.
  /// Throws: SupersededError if a newer session has taken the folder.
  std::function<void()> check_generation = [] {};
  Index step = 0;  ///< Updates of the run before this session.
  /// The current parameters in the layout of the topology. Valid during calls of the observer; they
  /// change in between.
  std::span<const float> live_parameters = {};
  /// The first validation (else training) samples, for pictures.
  Minibatch<float> preview = {};
  /// The same as an update of the first epoch might see them, where images are distorted.
  Matrix<float> distorted = {};
};

/// One update.
struct StepReport {
  std::size_t stage = 0;  ///< Index into RunSummary::stages.
  Index epoch = 0;        ///< Counted from 1.
  Index step = 0;         ///< Updates of this epoch so far.
  Index run_step = 0;     ///< Updates of the whole run.
  double learning_rate = 0;
  double loss = 0;                 ///< Mean over the minibatch.
  Index samples = 0;               ///< Of the minibatch, over all ranks.
  double communication_share = 0;  ///< Fraction of the epoch's time so far, on this rank.
  double samples_per_second = 0;   ///< Of all ranks, mean over the epoch so far.
};

/// Time of one rank, in seconds.
struct RankTime {
  PartSeconds parts{};
  double total = 0;  ///< Includes time of no part.
};

/// One epoch: a line of metrics.jsonl.
struct EpochReport {
  std::string stage = {};
  Index epoch = 0;           ///< Of the stage, counted from 1.
  Index epochs = 0;          ///< Of the stage.
  Index step = 0;            ///< Updates of the whole run.
  double learning_rate = 0;  ///< Of the last update.
  double loss = 0;           ///< Mean over the epoch, each minibatch before its update.
  std::optional<double> train_error = {};     ///< Percent, likewise; in fine-tuning only.
  std::optional<Evaluation> validation = {};  ///< After the epoch; in fine-tuning only.
  Index samples = 0;
  double seconds = 0;
  double samples_per_second = 0;
  double communication_share = 0;
  bool best = false;  ///< The lowest validation error so far.
  /// By rank, since the previous report. Work after an epoch counts for the next one.
  std::vector<RankTime> times = {};
};

/// A saved model and its evaluation.
struct ModelResult {
  std::string file;  ///< Name within the run folder.
  Index epoch = 0;   ///< Of fine-tuning.
  std::optional<Evaluation> validation;
  std::optional<Evaluation> test;
  /// The samples of the test (else validation) set with the largest losses, counted as in their
  /// split.
  std::vector<HardSample> hardest;
};

struct RunResult {
  std::vector<ModelResult> models;  ///< The last model, then the best by validation error.
  double seconds = 0;               ///< Of this session.
  bool stopped = false;             ///< Stopped cleanly before its end; then `models` is empty.
  std::string stopped_by = {};      ///< Such as "SIGTERM" or "--max-time", if stopped.
  Index step = 0;                   ///< Updates of the whole run.
  std::vector<std::string> class_names = {};  ///< By label; may be empty.
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
  /// The checkpoint after so many updates has been written and verified.
  virtual void checkpoint_saved(Index /*step*/) {}
  /// Something failed that does not end training.
  virtual void warning(const std::string& /*sentence*/) {}
  /// Training was rolled back to `step` updates of the run. `history` holds the epochs up to there,
  /// as in metrics.jsonl.
  virtual void rewound(Index /*step*/, const std::string& /*history*/) {}
  virtual void run_done(const RunResult&) {}
  /// The session fails: the last call. It is the only one if the session fails before it begins.
  virtual void run_failed(ExitCode, const std::string& /*sentence*/) {}
};

}  // namespace sae
