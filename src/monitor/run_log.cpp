#include "sae/monitor/run_log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "sae/core/error.hpp"
#include "sae/monitor/text.hpp"

namespace sae {

void RunLog::run_begins(const RunSummary& summary) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(folder_.log().string());
    log_ = std::make_shared<spdlog::logger>("run", std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    throw OutputError(fmt::format("Cannot write {}: {}.", folder_.log().string(), error.what()));
  }
  log_->set_pattern("%Y-%m-%d %H:%M:%S  %v");
  log_->flush_on(spdlog::level::info);
  log_->info("{}", start_table(summary, configuration_, libraries_));
}

std::string metrics_line(const EpochReport& report) {
  nlohmann::ordered_json line;
  line["stage"] = report.stage;
  line["epoch"] = report.epoch;
  line["step"] = report.step;
  line["samples"] = report.samples;
  line["learning_rate"] = report.learning_rate;
  line["loss"] = report.loss;
  if (report.train_error) line["train_error"] = *report.train_error;
  if (report.validation) {
    line["validation_loss"] = report.validation->loss;
    line["validation_error"] = report.validation->error_percent();
    line["best"] = report.best;
  }
  line["seconds"] = report.seconds;
  line["samples_per_second"] = report.samples_per_second;
  line["communication_share"] = report.communication_share;
  return line.dump();
}

void RunLog::epoch_done(const EpochReport& report) {
  log_->info("{}", epoch_line(report));
  if (!metrics_.is_open()) metrics_.open(folder_.metrics(), std::ios::app);
  metrics_ << metrics_line(report) << '\n' << std::flush;
  if (!metrics_) throw OutputError(fmt::format("Cannot write {}.", folder_.metrics().string()));
}

void RunLog::run_done(const RunResult& result) {
  log_->info("{}", result_table(result, folder_.path()));
}

}  // namespace sae
