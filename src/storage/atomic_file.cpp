#include "sae/storage/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "sae/core/error.hpp"
#include "sae/core/host.hpp"

namespace sae {
namespace {

[[noreturn]] void fail(const char* attempt, const std::filesystem::path& path) {
  const std::string reason = std::system_category().message(errno);
  throw OutputError(fmt::format("Cannot {} '{}': {}.", attempt, path.string(), reason));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int value() const { return value_; }
  bool valid() const { return value_ >= 0; }

 private:
  int value_;
};

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path final_path)
    : final_path_(std::move(final_path)), temporary_path_(final_path_) {
  temporary_path_ += fmt::format(".{}.{}.tmp", host_name(), ::getpid());
  std::error_code ignored;
  if (std::filesystem::is_directory(final_path_, ignored)) {
    errno = EISDIR;
    fail("write", final_path_);
  }
  // Not O_EXCL: what stands there was left by a killed process that had our number.
  if (!Descriptor(temporary_path_, O_WRONLY | O_CREAT | O_TRUNC).valid()) {
    fail("write", final_path_);
  }
}

AtomicFile::~AtomicFile() {
  if (renamed_) return;
  // Emptied first: after a failure HDF5 keeps the file open, and with it the space on a full disk.
  if (::truncate(temporary_path_.c_str(), 0) != 0) errno = 0;  // There is nothing to be done.
  ::unlink(temporary_path_.c_str());
}

void AtomicFile::commit() {
  sync_file();
  rename_into_place();
  sync_folder();
}

void AtomicFile::sync_file() {
  const Descriptor file(temporary_path_, O_RDWR);
  if (!file.valid() || ::fsync(file.value()) != 0) fail("write to disk", temporary_path_);
}

void AtomicFile::rename_into_place() {
  if (::rename(temporary_path_.c_str(), final_path_.c_str()) != 0) {
    fail("rename the finished temporary file to", final_path_);
  }
  renamed_ = true;
}

void AtomicFile::sync_folder() {
  std::filesystem::path folder = final_path_.parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  // Some network file systems keep folders safe by themselves and answer EINVAL.
  if (!descriptor.valid() || (::fsync(descriptor.value()) != 0 && errno != EINVAL)) {
    fail("write to disk the folder of", final_path_);
  }
}

void write_text_file(const std::filesystem::path& path, const std::string& text,
                     const std::function<void()>& before_rename) {
  AtomicFile file(path);
  std::ofstream stream(file.temporary_path());
  stream << text << std::flush;
  if (!stream) throw OutputError(fmt::format("Cannot write {}.", path.string()));
  stream.close();
  file.sync_file();
  if (before_rename) before_rename();
  file.rename_into_place();
  file.sync_folder();
}

}  // namespace sae
