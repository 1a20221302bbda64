#pragma once

#include <filesystem>
#include <string>

#include "sae/comm/communicator.hpp"

namespace sae {

// Finds files by convention.
// Collective, unless stated otherwise: rank 0 searches, so that all ranks get the same result.
// Throws: MissingInputError on rank 0, naming the places searched.

/// `given`, else $SAE_DATA, else data/mnist.h5 below the current folder, else the one installed
/// with the program or in its source folder.
std::filesystem::path find_dataset(const std::filesystem::path& given, Communicator& comm);

/// As find_dataset. Local.
std::filesystem::path find_dataset_here(const std::filesystem::path& given);

/// The text of a recipe: data/recipes/NAME.cfg, searched like the data set, else the built-in one.
std::string read_recipe(const std::string& name, Communicator& comm);

/// Whether $SAE_DATA names the data set where none is given.
bool environment_names_data(Communicator& comm);

std::string read_text(const std::filesystem::path& file, Communicator& comm);

}  // namespace sae
