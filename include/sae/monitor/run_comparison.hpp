#pragma once

#include <filesystem>
#include <vector>

namespace sae {

/// Writes one page that compares the runs in these folders: settings, results and curves.
/// Local. Throws: MissingInputError naming the folder that holds no run, OutputError.
void write_comparison(const std::vector<std::filesystem::path>& runs,
                      const std::filesystem::path& output);

/// Whether the file is such a page. False if it cannot be read.
bool is_comparison(const std::filesystem::path& file);

}  // namespace sae
