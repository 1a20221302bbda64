#include "sae/storage/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "sae/core/error.hpp"

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

/// What a chain of links leads to, whether it is there or not.
std::filesystem::path followed(std::filesystem::path path) {
  constexpr int kMostLinks = 40;  // As the system's.
  std::error_code ignored;
  for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(path, ignored); ++i) {
    path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
  }
  return path;
}

constexpr std::string_view kMark = ".sae-";
constexpr std::string_view kEnding = ".tmp";
constexpr std::size_t kDigits = 16;

std::string temporary_name(const std::string& name) {
  constexpr std::size_t kMostLetters = 200;  // File systems take 255.
  std::random_device random;
  const std::uint64_t number = (std::uint64_t{random()} << 32) | random();
  return fmt::format(".{}{}{:016x}{}", name.substr(0, kMostLetters), kMark, number, kEnding);
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& name, Special special)
    : final_path_(followed(name)), temporary_path_(final_path_) {
  std::error_code ignored;
  const auto status = std::filesystem::status(final_path_, ignored);
  if (std::filesystem::is_directory(status)) {
    errno = EISDIR;
    fail("write", final_path_);
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    if (special == Special::kRefused) {
      throw OutputError(fmt::format(
          "Cannot write '{}': it is a device, a pipe or a socket, and not a file.", name.string()));
    }
    in_place_ = true;
    return;
  }
  temporary_path_.replace_filename(temporary_name(final_path_.filename()));
  if (!Descriptor(temporary_path_, O_WRONLY | O_CREAT | O_EXCL).valid()) {
    fail("write", final_path_);
  }
}

OutputFile::~OutputFile() {
  if (in_place_) return;
  // Emptied first: after a failure HDF5 keeps the file open, and with it the space on a full disk.
  if (::truncate(temporary_path_.c_str(), 0) != 0) errno = 0;  // There is nothing to be done.
  ::unlink(temporary_path_.c_str());
}

bool OutputFile::is_unfinished(const std::filesystem::path& path) {
  const std::string name = path.filename();
  const std::size_t length = kMark.size() + kDigits + kEnding.size();
  if (name.size() <= length || !name.starts_with('.') || !name.ends_with(kEnding)) return false;
  const std::string_view end = std::string_view(name).substr(name.size() - length);
  const std::string_view number = end.substr(kMark.size(), kDigits);
  return end.starts_with(kMark) &&
         number.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void OutputFile::commit() {
  sync_file();
  rename_into_place();
  sync_folder();
}

void OutputFile::sync_file() {
  if (in_place_) return;
  const Descriptor file(temporary_path_, O_RDWR);
  if (!file.valid() || ::fsync(file.value()) != 0) fail("write to disk", temporary_path_);
}

void OutputFile::rename_into_place() {
  if (in_place_) return;
  if (::rename(temporary_path_.c_str(), final_path_.c_str()) != 0) {
    fail("rename the finished temporary file to", final_path_);
  }
  in_place_ = true;
}

void OutputFile::sync_folder() {
  if (temporary_path_ == final_path_) return;
  std::filesystem::path folder = final_path_.parent_path();
  if (folder.empty()) folder = ".";
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  // Some network file systems keep folders safe by themselves and answer EINVAL.
  if (!descriptor.valid() || (::fsync(descriptor.value()) != 0 && errno != EINVAL)) {
    fail("write to disk the folder of", final_path_);
  }
}

void OutputFile::write(std::string_view bytes) {
  std::ofstream stream(temporary_path_, std::ios::binary);
  stream << bytes;
  stream.close();
  if (!stream) fail("write", final_path_);
}

void write_text_file(const std::filesystem::path& path, const std::string& text,
                     const std::function<void()>& before_rename) {
  OutputFile file(path, OutputFile::Special::kWrittenThrough);
  file.write(text);
  file.sync_file();
  if (before_rename) before_rename();
  file.rename_into_place();
  file.sync_folder();
}

}  // namespace sae
