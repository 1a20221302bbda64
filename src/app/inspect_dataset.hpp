#pragma once

#include <filesystem>

namespace sae {

/// Prints what a data set file holds and how many samples each class has. On a terminal of so many
/// columns also a picture of each class, or the first ones without labels; 0: there is no terminal.
/// Throws: as DatasetFile.
void inspect_dataset(const std::filesystem::path& path, int columns);

}  // namespace sae
