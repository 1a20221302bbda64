#include "report_file.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>

#include "sae/core/error.hpp"
#include "sae/storage/atomic_file.hpp"

namespace sae {

void publish_report(const RunFolder& folder, Report& report,
                    const std::function<void()>& before_rename) {
  report.written =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  AtomicFile file(folder.report());
  std::ofstream stream(file.temporary_path());
  stream << report_page(report) << std::flush;
  if (!stream) throw OutputError(fmt::format("Cannot write {}.", folder.report().string()));
  stream.close();
  // Not forced to disk: training does not wait, and a page that a crash loses can be made anew.
  if (before_rename) before_rename();
  file.rename_into_place();
}

}  // namespace sae
