#pragma once

#include <functional>
#include <string>

#include "report_pictures.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// All that a page shows.
struct Report {
  std::string run = {};  ///< The run's folder, as the user names it.
  bool live = false;     ///< The run goes on: a browser loads the page again by itself.
  double written = 0;    ///< Seconds since 1970.
  RunRecord record = {};
  ReportPictures pictures = {};
};

/// One HTML file without scripts and without links to anything outside.
std::string report_page(const Report& report);

/// Writes the page into the run's folder, with the time; complete or not at all.
/// Throws: OutputError.
void publish_report(const RunFolder& folder, Report& report,
                    const std::function<void()>& before_rename = {});

}  // namespace sae
