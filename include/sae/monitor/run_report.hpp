#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "sae/monitor/model_pictures.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

class RunJournal;

/// Keeps a run's journal.jsonl, and with it report.html: a page for people, written at the start,
/// after each epoch and at the end. Takes at most a fiftieth of the time: where epochs are shorter
/// than that allows, some are passed over. Throws: OutputError if the page cannot be written,
/// SupersededError.
class RunReport final : public TrainingObserver {
 public:
  /// The configuration must outlive the report. Requires: `pictures` observes the run, before this
  /// does.
  RunReport(const RunFolder& folder, const Configuration& configuration,
            const std::string& libraries, ModelPictures& pictures);
  ~RunReport() override;

  void run_begins(const RunSummary& summary) override;
  void epoch_done(const EpochReport& report) override;
  void checkpoint_saved(Index step) override;
  void warning(const std::string& sentence) override;
  void rewound(Index step, const std::string& history) override;
  void run_done(const RunResult& result) override;
  void run_failed(ExitCode code, const std::string& sentence) override;

 private:
  using Clock = std::chrono::steady_clock;
  void write(bool live, const ModelResult* chosen = nullptr);

  RunFolder folder_;
  std::unique_ptr<RunJournal> journal_;
  ModelPictures& pictures_;
  std::function<void()> check_generation_;
  Clock::time_point next_write_;  ///< Not before.
};

/// Writes a run's report.html anew, from what its folder holds and, for the pictures, from the data
/// set: `data`, or the run's own if that is empty. Returns why pictures are missing, a sentence;
/// empty if they are not.
/// Local. Throws: MissingInputError if the folder holds no run, OutputError.
std::string write_report(const RunFolder& folder, const std::filesystem::path& data);

}  // namespace sae
