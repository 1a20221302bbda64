#pragma once

#include <string>
#include <vector>

#include "json_fields.hpp"
#include "report_page.hpp"

namespace sae {

// What the templates of the page show, as JSON: {{name}} of a template is the field of that name,
// escaped. Of an empty text, false and null a section is left out.

extern const char* const kReportTemplate;
extern const char* const kChartTemplate;
extern const char* const kTableTemplate;
extern const char* const kComparisonTemplate;
extern const char* const kReportStyle;      ///< CSS.
extern const char* const kComparisonStyle;  ///< Besides kReportStyle.

/// The text of a template with the fields of the view. Its partial "html_table" shows a table_view.
std::string render(const char* text, const Json& view);

using Rows = std::vector<std::vector<std::string>>;

/// The first cells of rows head them, numbers stand at the right.
Json table_view(const std::string& caption, const std::vector<std::string>& header,
                const Rows& rows);

// The sections; null where there is nothing to show.
Json curves_view(const RunRecord& record);
Json confusion_view(const RunRecord& record);
Json scores_view(const RunRecord& record);
Json hardest_view(const Report& report);
Json time_view(const RunRecord& record);
Json timeline_view(const RunRecord& record);
Json setup_view(const Report& report);

/// The model that is looked at: the one with the lowest validation error, else the last; null
/// before the end.
const ModelResult* chosen_model(const RunRecord& record);

/// Local date and time, such as "2026-03-31 14:05:09 +0200".
std::string date_and_time(double seconds_since_1970);

}  // namespace sae
