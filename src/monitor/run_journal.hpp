#pragma once

#include <optional>
#include <string>

#include "growing_file.hpp"
#include "run_record.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// Writes a run's journal.jsonl: what happened when, over all sessions of the run, one JSON object
/// a line; and keeps the record of the run up to date with it. Unlike metrics.jsonl it is never
/// rewound.
class RunJournal {
 public:
  RunJournal(const RunFolder& folder, const Configuration& configuration, std::string libraries)
      : folder_(folder), configuration_(configuration), libraries_(std::move(libraries)) {}

  /// Begins a session; what the file holds of earlier ones stays.
  void run_begins(const RunSummary& summary);
  void epoch_done(const EpochReport& report);
  void run_done(const RunResult& result);
  /// Requires: the run has begun.
  template <typename Event>
  void add(const Event& event);

  bool has_begun() const { return file_.has_value(); }
  RunRecord& record() { return record_; }
  /// All lines, of earlier sessions too. Requires: the run has begun.
  const std::string& text() const { return file_->text(); }

 private:
  RunFolder folder_;
  const Configuration& configuration_;
  std::string libraries_;
  RunRecord record_;
  std::optional<GrowingFile> file_;
};

}  // namespace sae
