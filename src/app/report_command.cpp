#include <fmt/format.h>

#include "commands.hpp"
#include "outputs.hpp"
#include "sae/monitor/run_comparison.hpp"
#include "sae/monitor/run_report.hpp"

namespace sae {
namespace {

void report_one(const ReportOptions& options) {
  const RunFolder folder(options.runs[0]);
  const std::string missing = write_report(folder, options.data);
  fmt::print("{}\n", folder.report().string());
  if (!missing.empty()) fmt::print("without pictures: {}\n", missing);
}

void report_several(const ReportOptions& options) {
  std::vector<std::filesystem::path> inputs;
  for (const auto& run : options.runs) {
    const RunFolder folder(run);
    inputs.insert(inputs.end(), {folder.config(), folder.metrics(), folder.journal()});
  }
  check_output(options.output, inputs, options.force);
  std::error_code ignored;  // What cannot be seen is reported when it is written.
  if (!options.force && std::filesystem::is_regular_file(options.output, ignored) &&
      !is_comparison(options.output)) {
    throw OutputError(
        fmt::format("{} is not a page that compares runs: it is replaced only by --force.",
                    options.output.string()));
  }
  write_comparison(options.runs, options.output);
  fmt::print("{}\n", options.output.string());
}

}  // namespace

void run_report(const ReportOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    if (options.runs.size() == 1) {
      report_one(options);
    } else {
      report_several(options);
    }
  }
  comm.barrier();
}

}  // namespace sae
