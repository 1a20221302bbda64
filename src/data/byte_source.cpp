#include "byte_source.hpp"

#include <fmt/format.h>

#include <boost/iostreams/device/file.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filter/zlib.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <boost/iostreams/restrict.hpp>
#include <fstream>
#include <utility>

#include "sae/core/error.hpp"
#include "sae/storage/input_file.hpp"

namespace sae {
namespace {

namespace bio = boost::iostreams;

constexpr double kMostDeflated = 1032;  // A limit of the format.
constexpr std::streamsize kBufferBytes = 1 << 16;

bool is_gzip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() == 0x1f && file.get() == 0x8b;
}

std::string description(const bio::gzip_error& error) {
  switch (error.error()) {
    case bio::gzip::bad_crc:
    case bio::gzip::bad_length:
      return "the check sum does not match";
    case bio::gzip::bad_header:
    case bio::gzip::bad_method:
      return "a header is invalid";
    case bio::gzip::bad_footer:
      return "the end is missing";
    default:
      return error.zlib_error_code() == bio::zlib::buf_error ? "the packed data end too early"
                                                             : "the packed data are invalid";
  }
}

}  // namespace

struct ByteSource::State {
  std::filesystem::path path;
  std::uint64_t stored_bytes = 0;
  bool packed = false;
  bio::filtering_streambuf<bio::input> stream;
  std::uint64_t position = 0;

  [[noreturn]] void fail(std::uint64_t offset, const std::string& fault) const {
    throw DataError(fmt::format("Cannot read '{}': at byte {}{}: {}.", path.string(), offset,
                                packed ? " of the unpacked data" : "", fault));
  }

  /// Runs `action` on the stream. Throws: DataError for failures of the stream.
  template <typename Action>
  auto guarded(Action action) {
    try {
      return action();
    } catch (const bio::gzip_error& error) {
      fail(position, "the gzip file is damaged, " + description(error));
    } catch (const bio::zlib_error&) {
      fail(position, "the packed data are invalid");
    } catch (const std::ios_base::failure& error) {
      fail(position, fmt::format("the file cannot be read ({})", error.what()));
    }
  }
};

ByteSource::ByteSource(std::filesystem::path path, std::optional<FilePart> part)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->stored_bytes = size_of_readable_file(state_->path);
  const bio::file_source file(state_->path.string(), std::ios::binary);
  if (part) {
    state_->stored_bytes = part->bytes;
    state_->packed = part->deflated;
    if (part->deflated) {
      bio::zlib_params raw;
      raw.noheader = true;
      state_->stream.push(bio::zlib_decompressor(raw), kBufferBytes);
    }
    state_->guarded([&] {
      state_->stream.push(bio::restrict(file, static_cast<bio::stream_offset>(part->offset),
                                        static_cast<bio::stream_offset>(part->bytes)),
                          kBufferBytes);
    });
    return;
  }
  state_->packed = is_gzip(state_->path);
  if (state_->packed) state_->stream.push(bio::gzip_decompressor(), kBufferBytes);
  state_->stream.push(file, kBufferBytes);
}

ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;
ByteSource::~ByteSource() = default;

const std::filesystem::path& ByteSource::path() const { return state_->path; }
std::uint64_t ByteSource::position() const { return state_->position; }
std::uint64_t ByteSource::stored_bytes() const { return state_->stored_bytes; }
bool ByteSource::packed() const { return state_->packed; }

bool ByteSource::can_hold(double bytes) const {
  const auto stored = static_cast<double>(state_->stored_bytes);
  return bytes <= (state_->packed ? stored * kMostDeflated : stored);
}

std::size_t ByteSource::read(std::span<char> out) {
  const auto found = state_->guarded(
      [&] { return state_->stream.sgetn(out.data(), static_cast<std::streamsize>(out.size())); });
  state_->position += static_cast<std::uint64_t>(found);
  return static_cast<std::size_t>(found);
}

bool ByteSource::at_end() {
  return state_->guarded([this] { return state_->stream.sgetc(); }) ==
         std::char_traits<char>::eof();
}

void ByteSource::fail(std::uint64_t offset, const std::string& fault) const {
  state_->fail(offset, fault);
}

}  // namespace sae
