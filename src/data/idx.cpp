#include "idx.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/iostreams/device/file.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "sae/core/error.hpp"
#include "sae/storage/input_file.hpp"

namespace sae {
namespace {

constexpr unsigned kUnsignedByte = 0x08;
constexpr unsigned kMaxDimensions = 4;
constexpr double kMaxGzipRatio = 1032;  // A limit of the deflate format.

bool is_gzip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() == 0x1f && file.get() == 0x8b;
}

std::string description(const boost::iostreams::gzip_error& error) {
  switch (error.error()) {
    case boost::iostreams::gzip::bad_crc:
    case boost::iostreams::gzip::bad_length:
      return "the check sum does not match";
    case boost::iostreams::gzip::bad_header:
    case boost::iostreams::gzip::bad_method:
      return "a header is invalid";
    case boost::iostreams::gzip::bad_footer:
      return "the end is missing";
    default:
      return error.zlib_error_code() == boost::iostreams::zlib::buf_error
                 ? "the packed data end too early"
                 : "the packed data are invalid";
  }
}

}  // namespace

struct IdxReader::State {
  std::filesystem::path path;
  std::uint64_t file_size = 0;
  bool packed = false;
  boost::iostreams::filtering_streambuf<boost::iostreams::input> stream;
  std::uint64_t position = 0;  ///< In the unpacked data.
  std::vector<Index> shape;

  [[noreturn]] void fail(std::uint64_t offset, const std::string& fault) const {
    throw DataError(fmt::format("Cannot read '{}': at byte {}{}: {}.", path.string(), offset,
                                packed ? " of the unpacked data" : "", fault));
  }

  /// Runs `action` on the stream. Throws: DataError for failures of the stream.
  template <typename Action>
  auto guarded(Action action) {
    try {
      return action();
    } catch (const boost::iostreams::gzip_error& error) {
      fail(position, "the gzip file is damaged, " + description(error));
    } catch (const std::ios_base::failure& error) {
      fail(position, fmt::format("the file cannot be read ({})", error.what()));
    }
  }

  /// Reads at most `count` bytes; returns how many.
  std::size_t read_some(std::uint8_t* out, std::size_t count) {
    const auto found = guarded([&] {
      return stream.sgetn(reinterpret_cast<char*>(out), static_cast<std::streamsize>(count));
    });
    position += static_cast<std::uint64_t>(found);
    return static_cast<std::size_t>(found);
  }

  std::array<std::uint8_t, 4> read_word(const char* field) {
    std::array<std::uint8_t, 4> word{};
    if (read_some(word.data(), word.size()) != word.size()) {
      fail(position, fmt::format("the file ends within the header, in the {}", field));
    }
    return word;
  }

  void read_header();
};

void IdxReader::State::read_header() {
  const auto magic = read_word("magic number");
  if (magic[0] != 0 || magic[1] != 0) {
    fail(0, fmt::format("the magic number {:02x}{:02x}{:02x}{:02x} is not that of an IDX file",
                        magic[0], magic[1], magic[2], magic[3]));
  }
  if (magic[2] != kUnsignedByte) {
    fail(2, fmt::format("the element type is 0x{:02x}, not 0x08 (unsigned byte)", magic[2]));
  }
  if (magic[3] == 0 || magic[3] > kMaxDimensions) {
    fail(3, fmt::format("the file claims {} dimensions, not 1 to {}", magic[3], kMaxDimensions));
  }
  double claimed = 1;
  for (unsigned i = 0; i < magic[3]; ++i) {
    const auto word = read_word("dimensions");
    const Index size = Index{word[0]} << 24 | Index{word[1]} << 16 | Index{word[2]} << 8 | word[3];
    if (size == 0) fail(position - word.size(), fmt::format("dimension {} is 0", i + 1));
    shape.push_back(size);
    claimed *= static_cast<double>(size);
  }
  const std::uint64_t there = file_size - (packed ? 0 : position);
  if (claimed > static_cast<double>(there) * (packed ? kMaxGzipRatio : 1)) {
    fail(4, fmt::format("the header claims a shape of ({}), {:.0f} bytes, but {} a file of {} "
                        "bytes{}",
                        fmt::join(shape, ", "), claimed,
                        packed ? "that is more than" : "the file ends too early,", file_size,
                        packed ? " can hold" : ""));
  }
}

IdxReader::IdxReader(std::filesystem::path path) : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->file_size = size_of_readable_file(state_->path);
  state_->packed = is_gzip(state_->path);
  if (state_->packed) state_->stream.push(boost::iostreams::gzip_decompressor());
  state_->stream.push(boost::iostreams::file_source(state_->path.string(), std::ios::binary));
  state_->read_header();
}

IdxReader::IdxReader(IdxReader&&) noexcept = default;
IdxReader& IdxReader::operator=(IdxReader&&) noexcept = default;
IdxReader::~IdxReader() = default;

const std::filesystem::path& IdxReader::path() const { return state_->path; }
const std::vector<Index>& IdxReader::shape() const { return state_->shape; }

Index IdxReader::item_size() const {
  return std::accumulate(shape().begin() + 1, shape().end(), Index{1}, std::multiplies<>());
}

void IdxReader::read(std::span<std::uint8_t> out) {
  const std::size_t found = state_->read_some(out.data(), out.size());
  if (found != out.size()) {
    state_->fail(state_->position,
                 fmt::format("the file ends too early: the header claims a shape of ({})",
                             fmt::join(shape(), ", ")));
  }
}

void IdxReader::finish() {
  const int next = state_->guarded([this] { return state_->stream.sgetc(); });
  if (next != std::char_traits<char>::eof()) {
    state_->fail(state_->position, fmt::format("more follows after the last of {} items", count()));
  }
}

}  // namespace sae
