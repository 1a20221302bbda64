#pragma once

#include <filesystem>
#include <string>

#include "sae/run/checkpoint.hpp"

namespace sae {

/// Prints topology, progress, norms and configuration of a checkpoint or model.
/// Throws: as load_checkpoint, also if it does not verify.
void inspect_checkpoint(const std::filesystem::path& path);

/// How far the run had come, on lines of their own.
std::string progress_lines(const Checkpoint& checkpoint);

}  // namespace sae
