#pragma once

#include <filesystem>

#include "sae/storage/file_image.hpp"

namespace sae {

// A sealed HDF5 file begins with a user block (which HDF5 skips) that holds a digest of all
// bytes after it. So any damage is found before HDF5, which can crash on damaged files, looks at
// it.

/// Bytes of the user block.
inline constexpr int kSealBytes = 512;

/// Writes the digest of the image of a finished file into its user block.
void seal_image(FileImage& image);

/// Whether a file claims to be sealed. Throws: MissingInputError if it cannot be read.
bool has_seal(const std::filesystem::path& path);

/// Throws: MissingInputError if the file cannot be read; DataError if it has no seal or does not
/// match it.
void check_seal(const std::filesystem::path& path);

/// Reads back what was written of a sealed image: from the disk, past the page cache where the
/// file system can. Throws: OutputError if it is not the image.
void check_written(const std::filesystem::path& path, const FileImage& image);

}  // namespace sae
