#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace sae {

/// A part of a file: a member of an archive.
struct FilePart {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  bool deflated = false;  ///< Packed without the header of gzip.
};

/// The bytes of a file from front to back, in bounded memory. Unpacks gzip, which it recognises by
/// the file's content.
class ByteSource {
 public:
  /// Throws: MissingInputError if the file does not exist or may not be read.
  explicit ByteSource(std::filesystem::path path, std::optional<FilePart> part = {});
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;
  ~ByteSource();

  const std::filesystem::path& path() const;
  std::uint64_t position() const;  ///< In the unpacked data.
  /// Bytes in the file that hold the data, perhaps packed.
  std::uint64_t stored_bytes() const;
  bool packed() const;
  /// Whether the data could be so long, as far as their packing tells.
  bool can_hold(double bytes) const;

  /// Reads until `out` is full or the data end; returns how many bytes it read.
  /// Throws: DataError naming file, position and fault if the file is damaged.
  std::size_t read(std::span<char> out);
  /// Whether the data end here. Checks the check sum of a gzip file.
  bool at_end();

  /// Throws: DataError naming the file, the offset in the unpacked data and the fault.
  [[noreturn]] void fail(std::uint64_t offset, const std::string& fault) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sae
