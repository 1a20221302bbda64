#include "direct_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "sae/core/error.hpp"

namespace sae {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
  const std::string reason = std::system_category().message(errno);
  throw OutputError(fmt::format("Cannot write '{}': {}.", path.string(), reason));
}

}  // namespace

DirectFile::DirectFile(std::filesystem::path path, Use use) : path_(std::move(path)) {
  const int flags = (use == Use::kRead ? O_RDONLY : O_WRONLY) | O_CLOEXEC;
  descriptor_ = ::open(path_.c_str(), flags | O_DIRECT);
  if (descriptor_ < 0 && errno == EINVAL) {
    direct_ = false;
    descriptor_ = ::open(path_.c_str(), flags);
  }
  if (descriptor_ < 0) fail(path_);
}

DirectFile::~DirectFile() { ::close(descriptor_); }

template <typename Transfer>
std::size_t DirectFile::repeat(const Transfer& transfer) {
  while (true) {
    const ssize_t done = transfer();
    if (done >= 0) return static_cast<std::size_t>(done);
    if (errno == EINTR) continue;
    // Some file systems tell only now that they cannot, or have larger blocks.
    if (errno != EINVAL || !direct_) fail(path_);
    direct_ = false;
    if (::fcntl(descriptor_, F_SETFL, 0) != 0) fail(path_);
  }
}

void DirectFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    bytes = bytes.subspan(repeat([&] { return ::write(descriptor_, bytes.data(), bytes.size()); }));
  }
}

std::size_t DirectFile::read(std::span<std::byte> bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const auto rest = bytes.subspan(total);
    const std::size_t done = repeat([&] { return ::read(descriptor_, rest.data(), rest.size()); });
    if (done == 0) break;
    total += done;
  }
  return total;
}

}  // namespace sae
