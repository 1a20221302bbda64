#pragma once

#include <functional>
#include <string>

#include "run_record.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/train/observer.hpp"

namespace sae {

/// Writes a run's journal.jsonl: what happened when, over all sessions of the run, one JSON object
/// a line. Unlike metrics.jsonl it is never rewound. What cannot be written, for a full disk say,
/// is written later.
class RunJournal {
 public:
  RunJournal(const RunFolder& folder, const Configuration& configuration, std::string libraries)
      : folder_(folder), configuration_(configuration), libraries_(std::move(libraries)) {}

  /// Begins a session; what the file holds of earlier ones stays.
  void run_begins(const RunSummary& summary);
  void epoch_done(const EpochReport& report);
  /// What a layer made of samples at the end of its pretraining, as a picture that is shown later.
  void reconstructed(const std::string& stage, const ReportPicture& picture);
  void checkpoint_saved(Index step);
  void warning(const std::string& sentence);
  void run_done(const RunResult& result);
  void run_failed(ExitCode code, const std::string& sentence);

  /// All lines, of earlier sessions too.
  const std::string& text() const { return text_; }

 private:
  void append(const std::string& line);

  RunFolder folder_;
  const Configuration& configuration_;
  std::string libraries_;
  std::function<void()> check_generation_;
  std::string text_;
  bool whole_ = true;  ///< The file holds all of it.
};

}  // namespace sae
