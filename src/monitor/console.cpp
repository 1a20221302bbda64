#include "sae/monitor/console.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <system_error>

#include "sae/core/error.hpp"
#include "sae/core/print.hpp"
#include "sae/core/text.hpp"
#include "sae/monitor/progress_bar.hpp"
#include "sae/monitor/terminal.hpp"
#include "sae/monitor/text.hpp"
#include "sae/train/start_table.hpp"

namespace sae {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

void Console::run_begins(const RunSummary& summary) {
  summary_ = summary;
  print(start_table(summary, configuration_, libraries_) + "\n");
  for (const std::string& note : summary.notes) print(note + "\n");
}

void Console::print(const std::string& text) {
  if (out_ == nullptr || print_to(out_, text)) return;
  const std::string reason = std::system_category().message(errno);
  out_ = nullptr;
  throw OutputError(
      fmt::format("Cannot print any more ({}); the command continues without output.", reason));
}

void Console::step_done(const StepReport& report) {
  const auto now = Clock::now();
  if (report.stage != stage_) {
    stage_ = report.stage;
    stage_start_ = now;
    stage_start_epochs_ = epochs_done(report);
  }
  if (columns_ == 0 || now - last_drawn_ < kRedraw) return;
  if (now == stage_start_) return;  // Nothing is known of the rate yet.
  last_drawn_ = now;
  print("\r\x1b[K" + bar(report));
  bar_shown_ = true;
}

double Console::epochs_done(const StepReport& report) const {
  return static_cast<double>(report.epoch - 1) +
         static_cast<double>(report.step) /
             static_cast<double>(summary_.stages[report.stage].steps_per_epoch);
}

std::string Console::bar(const StepReport& report) const {
  const StageSummary& stage = summary_.stages[report.stage];
  const double done = epochs_done(report);
  const double share = done / static_cast<double>(stage.epochs);
  const double seconds_per_epoch =
      std::chrono::duration<double>(Clock::now() - stage_start_).count() /
      std::max(done - stage_start_epochs_, 1e-9);
  const double stage_left = seconds_per_epoch * (static_cast<double>(stage.epochs) - done);
  // The stages to come, at the rate of this one.
  double flop_to_come = 0;
  for (std::size_t i = report.stage + 1; i < summary_.stages.size(); ++i) {
    flop_to_come +=
        summary_.stages[i].flop_per_epoch * static_cast<double>(summary_.stages[i].epochs);
  }
  const double run_left = stage_left + flop_to_come * seconds_per_epoch / stage.flop_per_epoch;

  const std::string left = fmt::format("{} {}/{} ", stage.name, report.epoch, stage.epochs);
  // Fits into 80 columns. Left: of the stage / of the run.
  const std::string right =
      fmt::format(" {:.0f}% loss {:.4g} {} samples/s comm {:.0f}% left {}/{}", 100 * share,
                  report.loss, grouped(std::llround(report.samples_per_second)),
                  100 * report.communication_share, duration(stage_left), duration(run_left));
  return bar_line(left, share, right, columns_);
}

void Console::erase_bar() {
  if (bar_shown_) print("\r\x1b[K");
  bar_shown_ = false;
}

void Console::epoch_done(const EpochReport& report) {
  erase_bar();
  // A terminal may get another size meanwhile; what is no terminal has room.
  print(epoch_line(report, static_cast<std::size_t>(terminal_columns().value_or(1000))) + "\n");
}

void Console::warning(const std::string& sentence) {
  erase_bar();
  print("warning: " + sentence + "\n");
}

void Console::run_done(const RunResult& result) {
  erase_bar();
  print(result_table(result, configuration_.run));
}

}  // namespace sae
