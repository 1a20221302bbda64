#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "sae/model/parameter_layout.hpp"

namespace sae {

/// How far a run had come.
struct Progress {
  std::string stage;      ///< Name of the stage, such as "pretrain1".
  Index epoch = 0;        ///< Epochs of the stage begun, counted from 1.
  Index step = 0;         ///< Updates of the whole run.
  bool finished = false;  ///< The run has reached its end.
};

/// The model of a run and where it comes from.
struct Checkpoint {
  Topology topology;
  Vector<float> parameters;  ///< In the layout of the topology.
  Progress progress;
  std::uint64_t seed = 0;
  std::string config;  ///< As Configuration::text.
};

/// Writes the checkpoint file and publishes it complete or not at all.
/// Local. Throws: OutputError.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads what save_checkpoint wrote; the topology follows from the sizes of the arrays.
/// Local. Throws: MissingInputError; DataError naming what is missing, damaged, not
/// finite or of another size.
Checkpoint load_checkpoint(const std::filesystem::path& path);

}  // namespace sae
