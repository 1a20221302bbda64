#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sae/model/denoising_objective.hpp"
#include "sae/train/observer.hpp"

namespace sae {

// What the files of a run's folder tell, read back for its report.

/// A line of metrics.jsonl.
struct EpochRecord {
  std::string stage = {};
  Index epoch = 0;
  Index step = 0;
  double learning_rate = 0;
  double loss = 0;
  std::optional<double> train_error = {};  ///< Percent.
  std::optional<double> validation_error = {};
  std::optional<double> validation_loss = {};
  double seconds = 0;
  double samples_per_second = 0;
  double communication_share = 0;
  bool best = false;
};

/// The end of an epoch within a session. Times are seconds since 1970.
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

/// From a start of the program to its end, whichever it was.
struct SessionRecord {
  double begin = 0;
  double last_sign = 0;  ///< Its end, where that was told.
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
  bool ended = false;    ///< In good order.
  bool stopped = false;  ///< Before the end of the run.
  std::string stopped_by = {};
  std::string failure = {};  ///< Why it ended, if not in good order; else empty.
  Index exit_code = 0;       ///< That belongs to the failure.
};

struct RunRecord {
  std::vector<std::pair<std::string, std::string>> configuration = {};
  std::vector<EpochRecord> epochs = {};
  std::vector<SessionRecord> sessions = {};

  // Of the last session.
  std::string topology = {};
  std::string data = {};  ///< Path.
  DatasetInfo dataset;
  Index parameters = 0;
  Index training_samples = 0;
  Index validation_samples = 0;
  Index test_samples = 0;
  std::vector<StageSummary> stages = {};
  std::vector<DenoisingSettings> pretraining = {};  ///< By layer.

  std::vector<std::pair<std::string, ReportPicture>> reconstructions =
      {};  ///< By stage, at its end.

  std::optional<Evaluation> validation = {};  ///< After the last epoch of fine-tuning.
  std::vector<ModelResult> models = {};       ///< Of a finished run; hard samples without pixels.
  Index unreadable_lines = 0;

  bool finished() const { return !sessions.empty() && sessions.back().ended && !models.empty(); }
};

/// Of the texts of config.cfg, metrics.jsonl and journal.jsonl. Lines that are damaged are passed
/// over and counted.
RunRecord parse_run_record(const std::string& configuration, const std::string& metrics,
                           const std::string& journal);

}  // namespace sae
