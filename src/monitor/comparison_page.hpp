#pragma once

#include <string>
#include <vector>

#include "comparison.hpp"

namespace sae {

/// All that the page shows.
struct Comparison {
  std::vector<ComparedRun> runs = {};
  double written = 0;  ///< Seconds since 1970.
};

/// What tells the page from other files; it stands in its first lines.
inline constexpr const char* kComparisonMark =
    "<meta name=\"generator\" content=\"sae_dist report: comparison\">";

/// One HTML file without scripts, which needs nothing else; links lead to the pages of the runs.
/// Rows of its table are ordered by CSS, in which a row has its place for each column.
std::string comparison_page(Comparison comparison);

}  // namespace sae
