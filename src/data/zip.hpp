#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "byte_source.hpp"

namespace sae {

/// A file within a zip archive.
struct ZipMember {
  std::string name;
  FilePart part;
  std::uint64_t unpacked_bytes = 0;
  std::uint32_t check_sum = 0;  ///< CRC-32 of the unpacked bytes.
};

/// Whether the file begins as a zip archive does; false if it cannot be read.
bool is_zip(const std::filesystem::path& path);

/// The stored and deflated members of a zip archive, also of more than 4 GB, as numpy.savez writes
/// them.
/// Throws: MissingInputError, or DataError naming the file and the fault.
std::vector<ZipMember> read_zip_directory(const std::filesystem::path& path);

}  // namespace sae
