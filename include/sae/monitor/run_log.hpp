#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "sae/train/observer.hpp"
#include "sae/train/run_folder.hpp"

namespace spdlog {
class logger;
}

namespace sae {

/// Writes a run's log.txt, for people, and metrics.jsonl, for programs: one line per epoch.
/// Both are appended and flushed line by line.
/// Throws: OutputError if a file cannot be written.
class RunLog final : public TrainingObserver {
 public:
  RunLog(const RunFolder& folder, const Configuration& configuration, std::string libraries)
      : folder_(folder), configuration_(configuration), libraries_(std::move(libraries)) {}

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport&) override {}
  void epoch_done(const EpochReport& report) override;
  void run_done(const RunResult& result) override;

 private:
  RunFolder folder_;
  const Configuration& configuration_;
  std::string libraries_;
  std::shared_ptr<spdlog::logger> log_;
  std::ofstream metrics_;
};

/// The line of metrics.jsonl for an epoch, without its end.
std::string metrics_line(const EpochReport& report);

}  // namespace sae
