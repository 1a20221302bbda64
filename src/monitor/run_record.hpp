#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sae/model/denoising_objective.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/train/metrics.hpp"

namespace sae {

// What a run's folder tells of the run: kept up to date while it trains, or read from the files.
// Times are seconds since 1970.

/// The end of an epoch within a session.
struct EpochMark {
  double time = 0;
  std::string stage = {};
  Index epoch = 0;
  Index step = 0;
  std::vector<RankTime> times = {};  ///< By rank, or by groups of neighbouring ranks of equal size.
};

struct StepMark {
  double time = 0;
  Index step = 0;
};

struct Warning {
  double time = 0;
  std::string text = {};
};

/// A picture on the page.
struct ReportPicture {
  std::string uri = {};  ///< That holds it.
  Index width = 0;
  Index height = 0;
  std::string title = {};
  std::string description = {};  ///< For those who do not see it.
  std::string caption = {};
};

template <typename F>
void fields(F& field, ReportPicture& picture) {
  field("uri", picture.uri);
  field("width", picture.width);
  field("height", picture.height);
  field("title", picture.title);
  field("description", picture.description);
  field("caption", picture.caption);
}

/// From a start of the program to its end, whichever it was.
struct SessionRecord {
  double begin = 0;
  double last_sign = 0;  ///< Its end, where that is known.
  Index first_step = 0;  ///< Updates of the run before it.
  std::string program = {};
  std::vector<std::string> hosts = {};  ///< By rank.
  Index threads = 0;
  std::string averaging = {};
  double memory_per_rank = 0;
  std::vector<std::string> notes = {};
  std::vector<EpochMark> epochs = {};
  std::vector<StepMark> checkpoints = {};
  std::vector<Warning> warnings = {};
  bool ended = false;    ///< Cleanly.
  bool stopped = false;  ///< Before the end of the run.
  std::string stopped_by = {};
  std::string failure = {};  ///< Why it ended, if it failed; else empty.
  Index exit_code = 0;       ///< Of the failure.
};

/// What a session trains, on what.
struct RunSetup {
  std::string topology = {};
  std::string data = {};  ///< Path.
  DatasetInfo dataset = {};
  Index parameters = 0;
  Index training_samples = 0;
  Index validation_samples = 0;
  Index test_samples = 0;
  std::vector<StageSummary> stages = {};
  std::vector<DenoisingSettings> pretraining = {};  ///< By layer.
};

// The lines of journal.jsonl. Each has a time and the name of its event.
struct BeginEvent {
  static constexpr const char* kName = "begin";
  SessionRecord session = {};
  RunSetup setup = {};
};
struct EpochEvent {
  static constexpr const char* kName = "epoch";
  EpochMark mark = {};
  std::optional<Evaluation> validation = {};
};
/// What a layer made of samples at the end of its pretraining.
struct ReconstructedEvent {
  static constexpr const char* kName = "reconstructed";
  std::string stage = {};
  ReportPicture picture = {};
};
struct CheckpointEvent {
  static constexpr const char* kName = "checkpoint";
  Index step = 0;
};
struct WarningEvent {
  static constexpr const char* kName = "warning";
  std::string text = {};
};
struct FailedEvent {
  static constexpr const char* kName = "failed";
  Index exit_code = 0;
  std::string text = {};
};
struct EndEvent {
  static constexpr const char* kName = "end";
  bool stopped = false;
  std::string stopped_by = {};
  Index step = 0;
  std::vector<ModelResult> models = {};
};

/// How a run ended, as far as its journal tells.
enum class RunEnd {
  kUnknown,  ///< It is under way, or it was cut.
  kFinished,
  kStopped,  ///< Cleanly, before its end.
  kFailed
};

/// Its setup is that of the last session.
struct RunRecord : RunSetup {
  std::vector<std::pair<std::string, std::string>> configuration = {};
  std::vector<EpochRecord> epochs = {};
  std::vector<SessionRecord> sessions = {};
  std::vector<ReconstructedEvent> reconstructions = {};  ///< One for each stage.
  std::optional<Evaluation> validation = {};             ///< After the last epoch of fine-tuning.
  std::vector<ModelResult> models = {};  ///< Of a finished run; hard samples without pixels.
  Index unreadable_lines = 0;

  bool finished() const { return !sessions.empty() && sessions.back().ended && !models.empty(); }
  RunEnd end() const;
  /// Seconds of all sessions.
  double seconds() const;

  void add(BeginEvent event, double time);
  // Before the first session begins, these have no effect.
  void add(EpochEvent event, double time);
  void add(ReconstructedEvent event, double time);
  void add(const CheckpointEvent& event, double time);
  void add(const WarningEvent& event, double time);
  void add(const FailedEvent& event, double time);
  void add(EndEvent event, double time);

  // The texts of config.cfg, metrics.jsonl and journal.jsonl. Damaged lines are skipped and
  // counted.
  void read_configuration(const std::string& text);
  void read_metrics(const std::string& text);  ///< In place of the epochs so far.
  void read_journal(const std::string& text);
};

/// What the folder tells; of missing metrics and a missing journal nothing.
/// Throws: MissingInputError naming the folder if it has no config.cfg.
RunRecord read_run_record(const RunFolder& folder);

/// A line of the journal, with its end. Bytes that are not UTF-8, in a path say, are replaced.
template <typename Event>
std::string journal_line(const Event& event, double time);

}  // namespace sae
