#pragma once

#include <filesystem>

namespace sae {

// A sealed HDF5 file begins with a user block (which HDF5 skips) that holds a digest of all
// bytes after it. So any damage is found before HDF5, which can crash on damaged files, looks at
// it.

/// Bytes of the user block.
inline constexpr int kSealBytes = 512;

/// Writes the digest of a finished file into its user block.
/// Throws: OutputError naming path and reason.
void seal_file(const std::filesystem::path& path);

/// Whether a file claims to be sealed. Throws: MissingInputError if it cannot be read.
bool has_seal(const std::filesystem::path& path);

/// Throws: MissingInputError if the file cannot be read; DataError if it has no seal or does not
/// match it.
void check_seal(const std::filesystem::path& path);

}  // namespace sae
