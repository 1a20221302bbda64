#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sae {

namespace tensorboard {
class Event;
}

/// CRC-32C of the bytes, rotated and shifted as record files keep it: a check sum of bytes that
/// hold check sums.
std::uint32_t masked_crc32c(std::string_view bytes);

/// One TensorBoard event file: records of length, its check sum, an event, its check sum. Events
/// are kept in memory until flush.
class EventFile {
 public:
  /// Makes the folder and in it a file whose name comes after those of all others there:
  /// TensorBoard reads them in that order. Throws: OutputError.
  explicit EventFile(const std::filesystem::path& folder);
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  ~EventFile();

  /// Whether the folder held events before.
  bool continues() const { return continues_; }

  /// Sets the event's time and appends it.
  void append(tensorboard::Event event);
  std::size_t pending_bytes() const { return pending_.size(); }

  /// Writes what is pending, or drops it: the file ends with a whole record either way.
  /// Throws: OutputError.
  void flush();

 private:
  std::filesystem::path path_;
  bool continues_ = false;
  int descriptor_ = -1;
  std::int64_t size_ = 0;  ///< Of the whole records in the file.
  std::string pending_;
};

}  // namespace sae
