#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace sae {

/// The bytes of a file that is composed in memory before any of it is written. Its memory is taken
/// from the system once: to take 77 MB anew for each checkpoint costs more than to fill them.
class FileImage {
 public:
  /// Its size is a multiple of this: of the blocks that disks write.
  static constexpr std::size_t kBlockBytes = 4096;

  FileImage() = default;
  FileImage(const FileImage&) = delete;
  FileImage& operator=(const FileImage&) = delete;
  ~FileImage();

  std::span<std::byte> bytes() { return {memory_, size_}; }
  std::span<const std::byte> bytes() const { return {memory_, size_}; }

  /// Empties the image; its memory stays.
  void clear() { size_ = 0; }
  /// Rounds `size` up to whole blocks. What was there stays; what is new is of undefined value.
  /// Throws: std::bad_alloc.
  void resize(std::size_t size);

  /// Writes the image into the existing file `path`, past the page cache where its file system
  /// can: nobody reads it soon. Does not flush. Local. Throws: OutputError.
  void write_to(const std::filesystem::path& path) const;

 private:
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sae
