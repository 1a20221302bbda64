#include "fuzzing.hpp"

#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

// Memory that cannot be had is refused as in the program itself. Little is kept back after its
// release: to copy it for a trial process takes longer than to read the file.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:quarantine_size_mb=4";
}

// Trial processes may crash. The fuzzer must not take that for a finding of its own.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  return pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback([] {}); });
}

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
