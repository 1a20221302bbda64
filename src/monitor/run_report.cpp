#include "sae/monitor/run_report.hpp"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <utility>

#include "report_file.hpp"
#include "report_pictures.hpp"
#include "run_journal.hpp"
#include "sae/core/error.hpp"
#include "sae/train/metrics.hpp"

namespace sae {
namespace {

constexpr int kCostShare = 50;  // The page takes one part in so many of the time.

/// The model after the last epoch; none before the first is over.
std::optional<ModelState> state_of(const RunRecord& record, const ParameterLayout& layout,
                                   std::span<const float> parameters) {
  if (record.epochs.empty() || parameters.empty()) return std::nullopt;
  const EpochRecord& last = record.epochs.back();
  return ModelState{layout, parameters, last.stage, last.epoch,
                    layer_of(record, last.stage, layout.topology().hidden_layers())};
}

}  // namespace

RunReport::RunReport(const RunFolder& folder, const Configuration& configuration,
                     const std::string& libraries, Warn warn)
    : folder_(folder),
      warn_(std::move(warn)),
      journal_(std::make_unique<RunJournal>(folder, configuration, libraries)) {}

RunReport::~RunReport() = default;

template <typename Action>
void RunReport::without_harm(Action&& action) {
  try {
    action();
  } catch (const SupersededError&) {
    throw;
  } catch (const std::exception& error) {
    if (!std::exchange(warned_, true)) warn_(fmt::format("{} Training goes on.", error.what()));
  }
}

void RunReport::run_begins(const RunSummary& summary) {
  settings_ = summary.settings;
  metrics_ = summary.history;
  check_generation_ = summary.check_generation;
  topology_ = summary.topology;
  shape_ = picture_shape(summary.dataset);
  parameters_ = summary.live_parameters;
  samples_ = summary.preview;
  journal_->run_begins(summary);
  write(true, nullptr);
}

void RunReport::epoch_done(const EpochReport& report) {
  metrics_ += metrics_line(report);
  journal_->epoch_done(report);
  const bool pretraining_ends = report.epoch == report.epochs && !report.train_error;
  if (pretraining_ends) without_harm([&] { keep_reconstruction(report.stage); });
  if (Clock::now() >= next_write_) write(true, nullptr);
}

void RunReport::keep_reconstruction(const std::string& stage) {
  const RunRecord record = parse_run_record("", metrics_, journal_->text());
  const ParameterLayout layout(topology_);
  const auto model = state_of(record, layout, parameters_);
  if (!model || !shape_ || model->layer >= std::ssize(record.pretraining)) return;
  const DenoisingSettings& settings = record.pretraining[static_cast<std::size_t>(model->layer)];
  journal_->reconstructed(stage, reconstruction_picture(*model, settings, samples_, *shape_));
}

void RunReport::checkpoint_saved(Index step) { journal_->checkpoint_saved(step); }

void RunReport::warning(const std::string& sentence) { journal_->warning(sentence); }

void RunReport::run_done(const RunResult& result) {
  journal_->run_done(result);
  write(false, &result);
}

void RunReport::run_failed(ExitCode code, const std::string& sentence) {
  if (journal_->text().empty()) return;
  journal_->run_failed(code, sentence);
  write(false, nullptr);
}

void RunReport::write(bool live, const RunResult* result) {
  const auto begin = Clock::now();
  without_harm([&] {
    Report report{.run = folder_.path().string(),
                  .live = live,
                  .record = parse_run_record(settings_, metrics_, journal_->text()),
                  .pictures = {}};
    const ParameterLayout layout(topology_);
    const auto model = state_of(report.record, layout, parameters_);
    if (model && shape_) {
      report.pictures = model_pictures(report.record, *model, samples_, *shape_);
      if (result != nullptr && !result->models.empty()) {
        report.pictures.hardest = hardest_pictures(result->models.back(), *shape_);
      }
    }
    publish_report(folder_, report, check_generation_);
    warned_ = false;
  });
  next_write_ = Clock::now() + kCostShare * (Clock::now() - begin);
}

}  // namespace sae
