#pragma once

#include <filesystem>
#include <string>

#include "sae/run/checkpoint.hpp"

namespace sae {

/// Prints topology, progress, norms and configuration of a checkpoint or model.
/// Throws: as load_checkpoint.
void inspect_checkpoint(const std::filesystem::path& path);

/// Lines that describe the progress of the run.
std::string progress_lines(const Checkpoint& checkpoint);

}  // namespace sae
