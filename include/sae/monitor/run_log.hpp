#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sae/run/run_folder.hpp"
#include "sae/train/observer.hpp"

namespace spdlog {
class logger;
}

namespace sae {

class GrowingFile;

/// Writes a run's log.txt, for people, and metrics.jsonl, for programs: one line per epoch.
/// Both are appended and flushed line by line. What cannot be written, for a full disk say, is
/// written later: metrics.jsonl then as a whole. Each session begins with new files that hold what
/// the old ones did, so that the lines of a session whose folder was taken go nowhere.
/// Throws: OutputError if log.txt cannot be opened, SupersededError if another session has taken
/// the run's folder.
class RunLog final : public TrainingObserver {
 public:
  RunLog(const RunFolder& folder, const Configuration& configuration, std::string libraries);
  ~RunLog() override;

  void run_begins(const RunSummary& summary) override;
  void epoch_done(const EpochReport& report) override;
  void warning(const std::string& sentence) override;
  void rewound(Index step, const std::string& history) override;
  void run_done(const RunResult& result) override;
  void run_failed(ExitCode code, const std::string& sentence) override;

 private:
  void renew_log();

  RunFolder folder_;
  const Configuration& configuration_;
  std::string libraries_;
  std::shared_ptr<spdlog::logger> log_;
  std::function<void()> check_generation_;
  std::unique_ptr<GrowingFile> metrics_;
};

}  // namespace sae
