#pragma once

#include <filesystem>

namespace sae {

/// Prints how far the run in a folder has come, its curves, its files and whether they verify, and
/// what to type to go on.
/// Throws: MissingInputError if the folder holds no run.
void inspect_run(const std::filesystem::path& path);

}  // namespace sae
