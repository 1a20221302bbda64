#include "run_journal.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <system_error>

namespace sae {
namespace {

constexpr std::size_t kMostTimes = 64;  // Of an epoch: of more ranks neighbours are averaged.

/// To so many parts of one.
double rounded(double value, double parts) { return std::round(value * parts) / parts; }

/// Seconds since 1970, to the millisecond.
double now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count()) /
         1000;
}

std::vector<RankTime> averaged(const std::vector<RankTime>& times) {
  const std::size_t ranks = (times.size() + kMostTimes - 1) / kMostTimes;  // In each mean.
  std::vector<RankTime> means;
  for (std::size_t begin = 0; begin < times.size(); begin += ranks) {
    const std::size_t end = std::min(begin + ranks, times.size());
    const auto mean_of = [&](auto&& seconds) {
      double sum = 0;
      for (std::size_t rank = begin; rank < end; ++rank) sum += seconds(times[rank]);
      return rounded(sum / static_cast<double>(end - begin), 1e5);
    };
    RankTime mean;
    for (std::size_t part = 0; part < kProfiledParts; ++part) {
      mean.parts[part] = mean_of([part](const RankTime& time) { return time.parts[part]; });
    }
    mean.total = mean_of([](const RankTime& time) { return time.total; });
    means.push_back(mean);
  }
  return means;
}

}  // namespace

template <typename Event>
void RunJournal::add(const Event& event) {
  const double time = now();
  record_.add(event, time);
  file_->append(journal_line(event, time));
}

template void RunJournal::add(const ReconstructedEvent&);
template void RunJournal::add(const CheckpointEvent&);
template void RunJournal::add(const WarningEvent&);
template void RunJournal::add(const FailedEvent&);

void RunJournal::run_begins(const RunSummary& summary) {
  std::ifstream file(folder_.journal());
  std::string earlier{std::istreambuf_iterator<char>(file), {}};
  earlier.resize(earlier.rfind('\n') + 1);  // A process that was killed may have left half a line.
  record_.read_journal(earlier);
  file_.emplace(folder_.journal(), summary.check_generation);
  file_->replace(std::move(earlier));

  std::error_code ignored;  // Of a folder that is gone: the path stays empty.
  add(BeginEvent{.session = {.first_step = summary.step,
                             .program = libraries_,
                             .hosts = summary.hosts,
                             .threads = configuration_.threads,
                             .averaging = summary.averaging,
                             .memory_per_rank = summary.memory_per_rank,
                             .notes = summary.notes},
                 .setup = {.topology = to_string(summary.topology),
                           .data = std::filesystem::absolute(configuration_.data, ignored).string(),
                           .dataset = summary.dataset,
                           .parameters = summary.parameters,
                           .training_samples = summary.training_samples,
                           .validation_samples = summary.validation_samples,
                           .test_samples = summary.test_samples,
                           .stages = summary.stages,
                           .pretraining = summary.pretraining}});
}

void RunJournal::epoch_done(const EpochReport& report) {
  add(EpochEvent{.mark = {.stage = report.stage,
                          .epoch = report.epoch,
                          .step = report.step,
                          .times = averaged(report.times)},
                 .validation = report.validation});
}

void RunJournal::run_done(const RunResult& result) {
  EndEvent event{.stopped = result.stopped,
                 .stopped_by = result.stopped_by,
                 .step = result.step,
                 .models = result.models};
  for (ModelResult& model : event.models) {
    for (HardSample& hard : model.hardest) {
      hard.pixels.clear();
      hard.loss = rounded(hard.loss, 1e4);
      hard.confidence = rounded(hard.confidence, 1e4);
    }
  }
  add(event);
}

}  // namespace sae
