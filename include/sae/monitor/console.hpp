#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "sae/train/observer.hpp"

namespace sae {

/// Shows a run to the person who started it: the start table, a line for each epoch, on a
/// terminal a progress bar below them, the result. Throws: OutputError, once, if the output takes
/// no more text.
class Console final : public TrainingObserver {
 public:
  /// `columns` of the terminal; 0: none, no bar. `libraries` heads the start table. The
  /// configuration must outlive the console.
  Console(const Configuration& configuration, std::string libraries, int columns, std::FILE* out)
      : configuration_(configuration),
        libraries_(std::move(libraries)),
        columns_(columns),
        out_(out) {}

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport& report) override;
  void epoch_done(const EpochReport& report) override;
  void warning(const std::string& sentence) override;
  void run_done(const RunResult& result) override;

 private:
  using Clock = std::chrono::steady_clock;
  double epochs_done(const StepReport& report) const;
  std::string bar(const StepReport& report) const;
  void erase_bar();
  void print(const std::string& text);

  const Configuration& configuration_;
  std::string libraries_;
  int columns_;
  std::FILE* out_;  // Null: it takes no more.
  RunSummary summary_;
  bool bar_shown_ = false;
  std::optional<std::size_t> stage_;
  Clock::time_point stage_start_;
  double stage_start_epochs_ = 0;  ///< Epochs of the stage that were done when it was first seen.
  Clock::time_point last_drawn_;
};

}  // namespace sae
