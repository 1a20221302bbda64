#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "sae/monitor/model_pictures.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

namespace tensorboard {
class Summary;
}
class EventFile;

/// Writes TensorBoard's event files, a folder for each stage. Steps are updates of the whole run.
/// Scalars come every so many steps and after each epoch; histograms and images at the ends of
/// epochs that lie at least ten times as many steps apart, and at the end of each stage. A session
/// that resumes voids what an interrupted one wrote beyond the step from which it resumes, and
/// finds all up to there: what is pending is written before each checkpoint. What cannot be written
/// is left out. Throws: OutputError, SupersededError.
class EventWriter final : public TrainingObserver {
 public:
  /// The configuration must outlive the writer. Requires: summary_every is at least 1; `pictures`
  /// observes the run, before this does.
  EventWriter(const RunFolder& folder, const Configuration& configuration, Index summary_every,
              ModelPictures& pictures);
  ~EventWriter() override;

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport& report) override;
  void epoch_done(const EpochReport& report) override;
  void checkpoint_begins() override;
  void rewound(Index step, const std::string& history) override;
  void run_done(const RunResult& result) override;

 private:
  using Clock = std::chrono::steady_clock;

  /// The file of the stage, opened before its step `step` if need be; null if that failed before.
  EventFile* file_of(std::size_t stage, Index step);
  void begin_file(EventFile& file, std::size_t stage, Index step) const;
  void append(EventFile& file, Index step, tensorboard::Summary summary);
  void flush(EventFile& file) const;
  /// Makes TensorBoard forget what has this step or a later one.
  void void_from(Index step);
  void add_histograms(tensorboard::Summary& summary, std::size_t stage) const;
  void add_pictures(tensorboard::Summary& summary) const;

  RunFolder folder_;
  const Configuration& configuration_;
  Index summary_every_;
  ModelPictures& pictures_;
  RunSummary summary_;
  std::vector<std::unique_ptr<EventFile>> files_;  ///< By stage; null where none is open.
  std::vector<bool> opened_;  ///< Whether it has been tried to open it, in this epoch.
  Clock::time_point flushed_;
};

}  // namespace sae
