#pragma once

#include <filesystem>

namespace sae {

/// Prints contents, what stands out in the features, and class counts of a data set file. If
/// `columns`, the width of the terminal, is not 0, also prints a picture of each class, or of the
/// first samples if there are no labels. Throws: as DatasetFile.
void inspect_dataset(const std::filesystem::path& path, int columns);

}  // namespace sae
