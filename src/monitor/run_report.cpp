#include "sae/monitor/run_report.hpp"

#include "report_page.hpp"
#include "report_pictures.hpp"
#include "run_journal.hpp"

namespace sae {
namespace {

constexpr int kCostShare = 50;  // The page takes one part in so many of the time.

}  // namespace

RunReport::RunReport(const RunFolder& folder, const Configuration& configuration,
                     const std::string& libraries, ModelPictures& pictures)
    : folder_(folder),
      journal_(std::make_unique<RunJournal>(folder, configuration, libraries)),
      pictures_(pictures) {}

RunReport::~RunReport() = default;

void RunReport::run_begins(const RunSummary& summary) {
  check_generation_ = summary.check_generation;
  journal_->record().read_configuration(summary.settings);
  journal_->record().read_metrics(summary.history);
  journal_->run_begins(summary);
  write(true);
}

void RunReport::epoch_done(const EpochReport& report) {
  journal_->record().epochs.push_back(epoch_record(report));
  journal_->epoch_done(report);
  const bool pretraining_ends = report.epoch == report.epochs && pictures_.pretrains();
  if (pretraining_ends && pictures_.can_show() && pictures_.has_samples()) {
    journal_->add(
        ReconstructedEvent{report.stage, reconstruction_picture(pictures_, pictures_.layer())});
  }
  if (Clock::now() >= next_write_) write(true);
}

void RunReport::checkpoint_saved(Index step) { journal_->add(CheckpointEvent{step}); }

void RunReport::warning(const std::string& sentence) {
  if (journal_->has_begun()) journal_->add(WarningEvent{sentence});
}

void RunReport::rewound(Index, const std::string& history) {
  journal_->record().read_metrics(history);
}

void RunReport::run_done(const RunResult& result) {
  journal_->run_done(result);
  write(false, result.models.empty() ? nullptr : &result.models.back());
}

void RunReport::run_failed(ExitCode code, const std::string& sentence) {
  if (!journal_->has_begun()) return;
  journal_->add(FailedEvent{static_cast<Index>(code), sentence});
  write(false);
}

void RunReport::write(bool live, const ModelResult* chosen) {
  const auto begin = Clock::now();
  const auto wait = [&] { next_write_ = Clock::now() + kCostShare * (Clock::now() - begin); };
  Report report{
      .run = folder_.path().string(), .live = live, .record = journal_->record(), .pictures = {}};
  if (pictures_.can_show() && !pictures_.stage().empty()) {
    report.pictures = report_pictures(pictures_, report.record);
    if (chosen != nullptr) report.pictures.hardest = hardest_pictures(*chosen, pictures_.shape());
  }
  wait();  // Also if the page cannot be written.
  publish_report(folder_, report, check_generation_);
  wait();
}

}  // namespace sae
