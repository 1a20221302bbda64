#include "fuzzing.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace sae {

InputFile::InputFile(std::span<const std::uint8_t> contents) {
  std::string name = (std::filesystem::temp_directory_path() / "input-XXXXXX").string();
  const int descriptor = mkstemp(name.data());
  const auto written = write(descriptor, contents.data(), contents.size());
  if (written != static_cast<ssize_t>(contents.size()) || close(descriptor) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot write " + name);
  }
  path_ = name;
}

InputFile::~InputFile() { std::filesystem::remove(path_); }

}  // namespace sae
