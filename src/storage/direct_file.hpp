#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace sae {

/// An existing file that is read or written from its begin to its end, past the page cache where
/// its file system can do that. Throws: OutputError naming the path and the system's reason.
class DirectFile {
 public:
  enum class Use { kRead, kWrite };

  DirectFile(std::filesystem::path path, Use use);
  ~DirectFile();
  DirectFile(const DirectFile&) = delete;
  DirectFile& operator=(const DirectFile&) = delete;

  /// Requires: memory and sizes are multiples of FileImage::kBlockBytes.
  void write(std::span<const std::byte> bytes);
  /// Fills `bytes`, unless the file ends before. Returns how many it has read.
  std::size_t read(std::span<std::byte> bytes);

 private:
  /// The result of `transfer`, which is called again if it is interrupted or must use the cache.
  template <typename Transfer>
  std::size_t repeat(const Transfer& transfer);

  std::filesystem::path path_;
  int descriptor_;
  bool direct_ = true;
};

}  // namespace sae
