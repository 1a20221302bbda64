#pragma once

#include <functional>

#include "report_page.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// Writes the page of the report into the run's folder, with the time; complete or not at all.
/// Throws: OutputError.
void publish_report(const RunFolder& folder, Report& report,
                    const std::function<void()>& before_rename = {});

}  // namespace sae
