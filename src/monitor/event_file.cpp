#include "event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <boost/crc.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "tensorboard.pb.h"

namespace sae {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";

[[noreturn]] void fail(const fs::path& path, int error) {
  throw OutputError(fmt::format("Cannot write TensorBoard's file '{}': {}.", path.string(),
                                std::system_category().message(error)));
}

double seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

struct FoundFiles {
  std::int64_t latest = 0;  ///< The latest second in their names.
  bool hold_events = false;
};

FoundFiles find_files(const fs::path& folder) {
  FoundFiles found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    found.latest = std::max<std::int64_t>(found.latest, std::atoll(name.c_str() + kPrefix.size()));
    found.hold_events |= entry.file_size() > 0;
  }
  return found;
}

template <typename Number>
void append_bytes(std::string& text, Number number) {
  static_assert(std::endian::native == std::endian::little);
  text.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(static_cast<std::uint32_t>(crc.checksum()), 15) + 0xa282ead8u;
}

EventFile::EventFile(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(folder, error.value());
  FoundFiles found;
  try {
    found = find_files(folder);
  } catch (const fs::filesystem_error& failure) {
    fail(folder, failure.code().value());
  }
  continues_ = found.hold_events;
  const auto second = std::max(static_cast<std::int64_t>(seconds_since_1970()), found.latest + 1);
  path_ = folder / fmt::format("{}{:010}.{}.{}", kPrefix, second, host_name(), ::getpid());
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_, errno);
  tensorboard::Event version;
  version.set_file_version("brain.Event:2");
  append(std::move(version));
}

EventFile::~EventFile() { ::close(descriptor_); }

void EventFile::append(tensorboard::Event event) {
  event.set_wall_time(seconds_since_1970());
  std::string length;
  append_bytes(length, static_cast<std::uint64_t>(event.ByteSizeLong()));
  pending_ += length;
  append_bytes(pending_, masked_crc32c(length));
  const std::size_t begin = pending_.size();
  event.AppendToString(&pending_);
  append_bytes(pending_, masked_crc32c(std::string_view(pending_).substr(begin)));
}

void EventFile::flush() {
  const std::string bytes = std::exchange(pending_, {});
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto count = ::write(descriptor_, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      // No half record stays, so that what is written later can be read.
      if (::ftruncate(descriptor_, size_) == 0) ::lseek(descriptor_, size_, SEEK_SET);
      fail(path_, error);
    }
    written += static_cast<std::size_t>(count);
  }
  size_ += static_cast<std::int64_t>(bytes.size());
}

}  // namespace sae
