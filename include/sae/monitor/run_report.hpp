#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "sae/monitor/pictures.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/train/observer.hpp"

namespace sae {

class RunJournal;

/// Keeps a run's journal.jsonl, and with it report.html: a page for people, written at the start,
/// after each epoch and at the end. Takes at most a fiftieth of the time: where epochs are shorter
/// than that allows, some are passed over. A page that cannot be written is a warning.
class RunReport final : public TrainingObserver {
 public:
  using Warn = std::function<void(const std::string& sentence)>;

  RunReport(const RunFolder& folder, const Configuration& configuration,
            const std::string& libraries, Warn warn);
  ~RunReport() override;

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport&) override {}
  void epoch_done(const EpochReport& report) override;
  void checkpoint_saved(Index step) override;
  void warning(const std::string& sentence) override;
  void rewound(Index, const std::string& history) override { metrics_ = history; }
  void run_done(const RunResult& result) override;
  void run_failed(ExitCode code, const std::string& sentence) override;

 private:
  using Clock = std::chrono::steady_clock;
  void write(bool live, const RunResult* result);
  void keep_reconstruction(const std::string& stage);
  /// Calls the action; warns of what it throws, once until a page is written again.
  template <typename Action>
  void without_harm(Action&& action);

  RunFolder folder_;
  Warn warn_;
  std::function<void()> check_generation_;
  bool warned_ = false;
  std::unique_ptr<RunJournal> journal_;
  std::string settings_;  ///< As config.cfg.
  std::string metrics_;   ///< As metrics.jsonl.
  Topology topology_;
  std::optional<PictureShape> shape_;
  std::span<const float> parameters_;  ///< Live.
  Minibatch<float> samples_;           ///< To show.
  Clock::time_point next_write_;       ///< Not before.
};

/// Writes a run's report.html anew, from what its folder holds and, for the pictures, from the data
/// set: `data`, or the run's own if that is empty. Returns why pictures are missing, a sentence;
/// empty if they are not.
/// Local. Throws: MissingInputError if the folder holds no run, OutputError.
std::string write_report(const RunFolder& folder, const std::filesystem::path& data);

}  // namespace sae
