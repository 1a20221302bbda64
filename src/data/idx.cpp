#include "idx.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace sae {
namespace {

constexpr unsigned kUnsignedByte = 0x08;
constexpr unsigned kMaxDimensions = 4;

std::array<std::uint8_t, 4> read_word(ByteSource& source, const char* field) {
  std::array<char, 4> word{};
  if (source.read(word) != word.size()) {
    source.fail(source.position(),
                fmt::format("the file ends within the header, in the {}", field));
  }
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < word.size(); ++i) bytes[i] = static_cast<std::uint8_t>(word[i]);
  return bytes;
}

std::vector<Index> read_idx_header(ByteSource& source) {
  const auto magic = read_word(source, "magic number");
  if (magic[0] != 0 || magic[1] != 0) {
    source.fail(0, fmt::format("the magic number {:02x}{:02x}{:02x}{:02x} is not that of an IDX "
                               "file",
                               magic[0], magic[1], magic[2], magic[3]));
  }
  if (magic[2] != kUnsignedByte) {
    source.fail(2, fmt::format("the element type is 0x{:02x}, not 0x08 (unsigned byte)", magic[2]));
  }
  if (magic[3] == 0 || magic[3] > kMaxDimensions) {
    source.fail(
        3, fmt::format("the file claims {} dimensions, not 1 to {}", magic[3], kMaxDimensions));
  }
  std::vector<Index> shape;
  double claimed = 1;
  for (unsigned i = 0; i < magic[3]; ++i) {
    const auto word = read_word(source, "dimensions");
    const Index size = Index{word[0]} << 24 | Index{word[1]} << 16 | Index{word[2]} << 8 | word[3];
    if (size == 0) {
      source.fail(source.position() - word.size(), fmt::format("dimension {} is 0", i + 1));
    }
    shape.push_back(size);
    claimed *= static_cast<double>(size);
  }
  const double header = source.packed() ? 0 : static_cast<double>(source.position());
  if (!source.can_hold(claimed + header)) {
    source.fail(4, fmt::format("the header claims a shape of ({}), {:.0f} bytes, but {} a file of "
                               "{} bytes{}",
                               fmt::join(shape, ", "), claimed,
                               source.packed() ? "that is more than" : "the file ends too early,",
                               source.stored_bytes(), source.packed() ? " can hold" : ""));
  }
  return shape;
}

}  // namespace

IdxReader::IdxReader(std::filesystem::path path)
    : source_(std::move(path)), shape_(read_idx_header(source_)) {}

Index IdxReader::item_size() const {
  return std::accumulate(shape().begin() + 1, shape().end(), Index{1}, std::multiplies<>());
}

void IdxReader::read(std::span<std::uint8_t> out) {
  if (source_.read({reinterpret_cast<char*>(out.data()), out.size()}) != out.size()) {
    source_.fail(source_.position(),
                 fmt::format("the file ends too early: the header claims a shape of ({})",
                             fmt::join(shape(), ", ")));
  }
}

void IdxReader::finish() {
  if (!source_.at_end()) {
    source_.fail(source_.position(),
                 fmt::format("more follows after the last of {} items", count()));
  }
}

}  // namespace sae
