// Reads the directory of a zip archive, as far as NumPy's archives need it (APPNOTE.TXT of PKWARE,
// sections 4.3 and 4.5.3).

#include "zip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include "sae/core/error.hpp"
#include "sae/storage/input_file.hpp"

namespace sae {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryEntry = 0x02014b50;
constexpr std::uint32_t kEndOfDirectory = 0x06054b50;
constexpr std::uint32_t kEndOfDirectory64 = 0x06064b50;
constexpr std::uint32_t kLocatorOfEnd64 = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kLocatorBytes = 20;
constexpr std::uint64_t kEnd64Bytes = 56;
constexpr std::uint64_t kLocalHeaderBytes = 30;
constexpr std::uint64_t kDirectoryEntryBytes = 46;
constexpr std::uint64_t kMostCommentBytes = 65535;
constexpr std::uint64_t kMostDirectoryBytes = std::uint64_t{64} << 20;
constexpr std::uint32_t kInExtraField = 0xffffffff;
constexpr std::uint16_t kExtra64 = 1;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;

/// Numbers of little endian in a piece of the file.
class ZipBytes {
 public:
  explicit ZipBytes(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t size() const { return bytes_.size(); }
  ZipBytes from(std::uint64_t at) const { return ZipBytes(bytes_.substr(at)); }
  std::string_view text(std::uint64_t at, std::uint64_t size) const {
    return bytes_.substr(at, size);
  }
  std::uint16_t u16(std::uint64_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t u32(std::uint64_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }

 private:
  /// 0 past the end.
  std::uint64_t number(std::uint64_t at, std::uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint64_t result = 0;
    for (std::uint64_t i = size; i-- > 0;) {
      result = result << 8 | static_cast<std::uint8_t>(bytes_[at + i]);
    }
    return result;
  }

  std::string_view bytes_;
};

class ZipDirectoryReader {
 public:
  explicit ZipDirectoryReader(const std::filesystem::path& path)
      : path_(path), size_(size_of_readable_file(path)), file_(path, std::ios::binary) {}

  std::vector<ZipMember> read() {
    const Directory directory = find_directory();
    if (directory.bytes > kMostDirectoryBytes) fail("its directory is too large");
    const std::string bytes = read_at(directory.offset, directory.bytes);
    std::vector<ZipMember> members;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const ZipBytes entry = ZipBytes(bytes).from(std::min<std::uint64_t>(at, bytes.size()));
      if (entry.size() < kDirectoryEntryBytes || entry.u32(0) != kDirectoryEntry) {
        fail("its directory is damaged");
      }
      const std::uint64_t length =
          kDirectoryEntryBytes + entry.u16(28) + entry.u16(30) + entry.u16(32);
      if (entry.size() < length) fail("its directory is damaged");
      members.push_back(member_of(entry));
      at += length;
    }
    return members;
  }

 private:
  struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t entries = 0;
  };

  [[noreturn]] void fail(const std::string& fault) const {
    throw DataError(fmt::format("Cannot read '{}' as a zip archive: {}.", path_.string(), fault));
  }

  std::string read_at(std::uint64_t offset, std::uint64_t bytes) {
    if (offset > size_ || bytes > size_ - offset) fail("it is cut, or its directory is damaged");
    std::string result(bytes, '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(result.data(), static_cast<std::streamsize>(bytes));
    if (static_cast<std::uint64_t>(file_.gcount()) != bytes) fail("it cannot be read");
    return result;
  }

  Directory find_directory() {
    const std::uint64_t tail_bytes = std::min(size_, kEndBytes + kMostCommentBytes);
    const std::string tail = read_at(size_ - tail_bytes, tail_bytes);
    // The end has a comment of a length that it tells.
    std::optional<std::uint64_t> end;
    for (std::uint64_t at = tail_bytes < kEndBytes ? 0 : tail_bytes - kEndBytes + 1; at-- > 0;) {
      const ZipBytes bytes = ZipBytes(tail).from(at);
      if (bytes.u32(0) == kEndOfDirectory && bytes.size() == kEndBytes + bytes.u16(20)) {
        end = at;
        break;
      }
    }
    if (!end) fail("it has no directory at its end, so it is cut or no zip archive");
    const ZipBytes bytes = ZipBytes(tail).from(*end);
    const Directory directory{
        .offset = bytes.u32(16), .bytes = bytes.u32(12), .entries = bytes.u16(10)};
    const std::uint64_t position = size_ - tail_bytes + *end;
    if (position < kLocatorBytes) return directory;
    const std::string locator = read_at(position - kLocatorBytes, kLocatorBytes);
    if (ZipBytes(locator).u32(0) != kLocatorOfEnd64) return directory;
    const std::string end64 = read_at(ZipBytes(locator).u64(8), kEnd64Bytes);
    const ZipBytes bytes64(end64);
    if (bytes64.u32(0) != kEndOfDirectory64) fail("its directory is damaged");
    return {.offset = bytes64.u64(48), .bytes = bytes64.u64(40), .entries = bytes64.u64(32)};
  }

  ZipMember member_of(const ZipBytes& entry) {
    ZipMember member;
    member.name = entry.text(kDirectoryEntryBytes, entry.u16(28));
    member.check_sum = entry.u32(16);
    member.part.bytes = entry.u32(20);
    member.unpacked_bytes = entry.u32(24);
    std::uint64_t header = entry.u32(42);
    read_extra_field(entry, member, header);
    const std::uint16_t method = entry.u16(10);
    if ((entry.u16(8) & 1) != 0) fail(fmt::format("its member '{}' is encrypted", member.name));
    if (method != kStored && method != kDeflated) {
      fail(fmt::format("its member '{}' is packed by method {}, not stored or deflated",
                       member.name, method));
    }
    member.part.deflated = method == kDeflated;
    const std::string local = read_at(header, kLocalHeaderBytes);
    if (ZipBytes(local).u32(0) != kLocalHeader) {
      fail(fmt::format("the header of its member '{}' is damaged", member.name));
    }
    member.part.offset =
        header + kLocalHeaderBytes + ZipBytes(local).u16(26) + ZipBytes(local).u16(28);
    if (member.part.offset > size_ || member.part.bytes > size_ - member.part.offset ||
        (!member.part.deflated && member.part.bytes != member.unpacked_bytes)) {
      fail(fmt::format("its member '{}' is not within the file", member.name));
    }
    return member;
  }

  /// Of members beyond 4 GB the sizes that do not fit stand in an extra field, in this order.
  static void read_extra_field(const ZipBytes& entry, ZipMember& member, std::uint64_t& header) {
    const std::uint64_t begin = kDirectoryEntryBytes + entry.u16(28);
    const std::uint64_t end = begin + entry.u16(30);
    for (std::uint64_t at = begin; at + 4 <= end; at += std::uint64_t{4} + entry.u16(at + 2)) {
      if (entry.u16(at) != kExtra64) continue;
      std::uint64_t next = at + 4;
      for (std::uint64_t* value : {&member.unpacked_bytes, &member.part.bytes, &header}) {
        if (*value != kInExtraField) continue;
        *value = entry.u64(next);
        next += 8;
      }
      return;
    }
  }

  std::filesystem::path path_;
  std::uint64_t size_;
  std::ifstream file_;
};

}  // namespace

bool is_zip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string begin(4, '\0');
  file.read(begin.data(), 4);
  const std::uint32_t magic = ZipBytes(begin).u32(0);
  return file.gcount() == 4 && (magic == kLocalHeader || magic == kEndOfDirectory);
}

std::vector<ZipMember> read_zip_directory(const std::filesystem::path& path) {
  return ZipDirectoryReader(path).read();
}

}  // namespace sae
