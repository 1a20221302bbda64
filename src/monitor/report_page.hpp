#pragma once

#include <string>
#include <vector>

#include "run_record.hpp"

namespace sae {

struct ReportPictures {
  std::vector<ReportPicture> filters = {};
  std::vector<ReportPicture> reconstructions = {};
  std::vector<ReportPicture> hardest = {};  ///< One for each of the hardest samples, or none.
  std::string missing = {};                 ///< Why there are none, a sentence.
};

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

// Its parts, report_sections.cpp and report_sessions.cpp. Each is HTML, and empty where there is
// nothing to show.
std::string curves_section(const RunRecord& record);
std::string pictures_sections(const ReportPictures& pictures);
std::string confusion_section(const RunRecord& record);
std::string hardest_section(const Report& report);
std::string time_section(const RunRecord& record);
std::string timeline_section(const RunRecord& record);
std::string setup_section(const Report& report);

/// The model that is looked at: the one with the lowest validation error, else the last; null
/// before the end.
const ModelResult* chosen_model(const RunRecord& record);

/// Local date and time, such as "2026-03-31 14:05:09 +0200".
std::string date_and_time(double seconds_since_1970);

extern const char* const kReportStyle;  ///< The style sheet.

}  // namespace sae
