#pragma once

#include <filesystem>

namespace sae {

/// Prints progress and curves of the run in a folder, its files and whether they verify, and the
/// command that resumes it.
/// Throws: MissingInputError if the folder holds no run.
void inspect_run(const std::filesystem::path& path);

}  // namespace sae
