#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sae/model/parameter_layout.hpp"
#include "sae/monitor/pictures.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/train/observer.hpp"

namespace sae {

namespace tensorboard {
class Summary;
}
class EventFile;

/// Writes TensorBoard's event files, a folder for each stage. Steps are updates of the whole run.
/// Scalars come every so many steps and after each epoch; histograms and images at the ends of
/// epochs that lie at least ten times as many steps apart, and at the end of each stage. A session
/// that goes on voids what an interrupted one wrote beyond the step it goes on from, and finds all
/// up to there: what is pending is written before each checkpoint. Writing never ends the training:
/// what cannot be written is left out, and the user is warned.
class EventWriter final : public TrainingObserver {
 public:
  using Warn = std::function<void(const std::string& sentence)>;

  /// The configuration must outlive the writer. Requires: summary_every is at least 1.
  EventWriter(const RunFolder& folder, const Configuration& configuration, Index summary_every,
              Warn warn);
  ~EventWriter() override;

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport& report) override;
  void epoch_done(const EpochReport& report) override;
  void checkpoint_begins() override;
  void warning(const std::string&) override {}
  void rewound(Index step, const std::string& history) override;
  void run_done(const RunResult& result) override;

 private:
  using Clock = std::chrono::steady_clock;

  /// Does something that may fail for want of space; warns the first time it does.
  void attempt(const std::function<void()>& action);
  /// The file of the stage, opened before its step `step` if need be; null if that failed.
  EventFile* file_of(std::size_t stage, Index step);
  void begin_file(EventFile& file, std::size_t stage, Index step) const;
  void append(EventFile& file, Index step, tensorboard::Summary summary);
  void flush(EventFile& file) const;
  void flush_all();
  /// Makes TensorBoard forget what has this step or a later one.
  void void_from(Index step);
  void add_histograms(tensorboard::Summary& summary, std::size_t stage) const;
  void add_pictures(tensorboard::Summary& summary, std::size_t stage, Index epoch) const;
  bool trains_all(std::size_t stage) const { return stage + 1 == summary_.stages.size(); }

  RunFolder folder_;
  const Configuration& configuration_;
  Index summary_every_;
  Warn warn_;
  bool warned_ = false;
  RunSummary summary_;
  std::optional<ParameterLayout> layout_;
  std::optional<PictureShape> shape_;
  std::vector<std::unique_ptr<EventFile>> files_;  ///< By stage; null where none is open.
  std::vector<bool> tried_;                        ///< To open it.
  Clock::time_point flushed_;
};

}  // namespace sae
