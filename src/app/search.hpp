#pragma once

#include <filesystem>
#include <string>

#include "sae/comm/communicator.hpp"

namespace sae {

// Files that are found by convention. Where nothing else is said, functions are
// collective: rank 0 looks, so that what it finds, and what it fails to find, is the same for all.
// Throws: MissingInputError on rank 0, naming where it looked.

/// `given`, else $SAE_DATA, else data/mnist.h5 below the current folder, else the one that was
/// installed with, or lies in the sources of, the program.
std::filesystem::path find_dataset(const std::filesystem::path& given, Communicator& comm);

/// As find_dataset. Local.
std::filesystem::path find_dataset_here(const std::filesystem::path& given);

/// Text of the recipe: data/recipes/NAME.cfg, searched as the data set, else the one built in.
std::string read_recipe(const std::string& name, Communicator& comm);

std::string read_text(const std::filesystem::path& file, Communicator& comm);

}  // namespace sae
