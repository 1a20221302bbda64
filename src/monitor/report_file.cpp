#include "report_file.hpp"

#include <chrono>

#include "sae/storage/output_file.hpp"

namespace sae {

void publish_report(const RunFolder& folder, Report& report,
                    const std::function<void()>& before_rename) {
  report.written =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  OutputFile file(folder.report());
  file.write(report_page(report));
  // Not forced to disk: training does not wait, and a page that a crash loses can be made anew.
  if (before_rename) before_rename();
  file.rename_into_place();
}

}  // namespace sae
