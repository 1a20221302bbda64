#include "sae/storage/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "sae/core/error.hpp"

namespace sae {

std::uint64_t size_of_readable_file(const std::filesystem::path& path) {
  const auto fail = [&path](const std::string& reason) {
    throw MissingInputError(fmt::format("Cannot open '{}': {}.", path.string(), reason));
  };
  // Not blocking: to open a pipe would wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) fail(std::system_category().message(errno));
  struct stat status {};
  const int code = ::fstat(descriptor, &status);
  const int reason = errno;
  ::close(descriptor);
  if (code != 0) fail(std::system_category().message(reason));
  if (S_ISDIR(status.st_mode)) fail("it is a folder");
  if (!S_ISREG(status.st_mode)) fail("it is not a regular file");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace sae
