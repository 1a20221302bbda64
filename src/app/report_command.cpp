#include <fmt/format.h>

#include "commands.hpp"
#include "sae/monitor/run_report.hpp"

namespace sae {

void run_report(const ReportOptions& options, Communicator& comm) {
  if (comm.is_root()) {
    const RunFolder folder(options.run);
    const std::string missing = write_report(folder, options.data);
    fmt::print("{}\n", folder.report().string());
    if (!missing.empty()) fmt::print("without pictures: {}\n", missing);
  }
  comm.barrier();
}

}  // namespace sae
