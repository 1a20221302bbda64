#include "sae/monitor/run_log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <sstream>

#include "growing_file.hpp"
#include "sae/core/error.hpp"
#include "sae/monitor/text.hpp"
#include "sae/storage/output_file.hpp"
#include "sae/train/metrics.hpp"
#include "sae/train/start_table.hpp"

namespace sae {

RunLog::RunLog(const RunFolder& folder, const Configuration& configuration, std::string libraries)
    : folder_(folder), configuration_(configuration), libraries_(std::move(libraries)) {}

RunLog::~RunLog() = default;

void RunLog::renew_log() {
  std::ostringstream text;
  {
    std::ifstream file(folder_.log());
    if (!file || file.peek() == std::ifstream::traits_type::eof()) return;
    text << file.rdbuf();
  }
  write_text_file(folder_.log(), text.str(), check_generation_);
}

void RunLog::run_begins(const RunSummary& summary) {
  check_generation_ = summary.check_generation;
  renew_log();
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(folder_.log().string());
    log_ = std::make_shared<spdlog::logger>("run", std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    throw OutputError(fmt::format("Cannot write {}: {}.", folder_.log().string(), error.what()));
  }
  check_generation_();
  log_->set_pattern("%Y-%m-%d %H:%M:%S  %v");
  log_->flush_on(spdlog::level::info);
  log_->set_error_handler([](const std::string&) {});  // A full disk is told elsewhere.
  log_->info("{}", start_table(summary, configuration_, libraries_));
  for (const std::string& note : summary.notes) log_->info("{}", note);
  metrics_ = std::make_unique<GrowingFile>(folder_.metrics(), check_generation_);
  metrics_->replace(summary.history);
}

void RunLog::epoch_done(const EpochReport& report) {
  check_generation_();
  log_->info("{}", epoch_line(report));
  metrics_->append(metrics_line(report));
}

void RunLog::warning(const std::string& sentence) {
  if (log_) log_->warn("warning: {}", sentence);
}

void RunLog::rewound(Index, const std::string& history) { metrics_->replace(history); }

void RunLog::run_done(const RunResult& result) {
  check_generation_();
  metrics_->retry();
  log_->info("{}", result_table(result, folder_.path()));
}

void RunLog::run_failed(ExitCode code, const std::string& sentence) {
  if (!log_) return;
  check_generation_();
  log_->info("ended with exit code {}: {}", static_cast<int>(code), sentence);
}

}  // namespace sae
