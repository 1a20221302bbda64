#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace sae {

/// A file that holds the input of a fuzzer, in the folder for temporary files.
class InputFile {
 public:
  explicit InputFile(std::span<const std::uint8_t> contents);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sae
