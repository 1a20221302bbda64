#pragma once

#include <cstdint>
#include <filesystem>

namespace sae {

/// The size in bytes of a regular file that may be read.
/// Throws: MissingInputError naming path and reason if it is anything else.
std::uint64_t size_of_readable_file(const std::filesystem::path& path);

}  // namespace sae
