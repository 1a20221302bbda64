#pragma once

#include <filesystem>
#include <string>

namespace sae {

/// What a folder is to files that are written there.
struct FolderReport {
  std::string file_system;   ///< Such as "ext4"; "type 0x..." if it is not known.
  bool in_memory = false;    ///< Lost when the machine restarts.
  bool locks = false;        ///< Files can be locked. We do not; h5py does.
  double free_bytes = 0;     ///< For this user.
  double write_seconds = 0;  ///< An HDF5 file of 1 MiB, until it is safe on the disk.
};

/// Writes, reads back and removes a small HDF5 file in a folder, as checkpoints are written.
/// Local. Throws: OutputError, DataError.
FolderReport check_folder(const std::filesystem::path& folder);

}  // namespace sae
