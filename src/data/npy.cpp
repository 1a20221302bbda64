// NumPy's format: numpy.lib.format describes it.

#include "npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace sae {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr std::size_t kMostHeaderBytes = 1 << 20;
constexpr std::size_t kMostNpyDimensions = 32;

/// Reads the header's text, a dictionary of Python.
class NpyHeaderParser {
 public:
  explicit NpyHeaderParser(std::string_view text) : text_(text) {}

  /// The fault; empty if there is none.
  std::string parse(NpyHeader& header) {
    if (!take('{')) return "it is no dictionary";
    int found = 0;
    while (fault_.empty() && !take('}')) {
      const auto key = string();
      if (!key || !take(':')) return "it is not written as NumPy does";
      if (*key == "descr") {
        parse_type(header.element);
      } else if (*key == "fortran_order") {
        header.fortran_order = take_word("True");
        if (!header.fortran_order && !take_word("False"))
          fault_ = "its order is neither C nor Fortran";
      } else if (*key == "shape") {
        parse_shape(header.shape);
      } else {
        return fmt::format("it has an unknown key '{}'", *key);
      }
      ++found;
      if (!take(',') && peek() != '}') return "it is not written as NumPy does";
    }
    if (fault_.empty() && found != 3) return "'descr', 'fortran_order' or 'shape' is missing";
    return fault_;
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    peek();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::optional<std::string_view> string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return {};
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return {};
    const std::string_view result = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return result;
  }

  void parse_type(NpyElement& element) {
    if (peek() == '[') {
      fault_ = "its elements are records of several fields, not numbers";
      return;
    }
    const auto type = string();
    if (!type || type->size() < 2) {
      fault_ = "its element type is missing";
      return;
    }
    std::string_view rest = *type;
    if (std::string_view("<>|=").find(rest.front()) != std::string_view::npos) {
      element.big_endian = rest.front() == '>';
      rest.remove_prefix(1);
    }
    const char kind = rest.front();
    std::size_t bytes = 0;
    const auto parsed = std::from_chars(rest.data() + 1, rest.data() + rest.size(), bytes);
    const bool is_whole = parsed.ec == std::errc() && parsed.ptr == rest.data() + rest.size();
    const auto any_of = [&](std::initializer_list<std::size_t> sizes) {
      return is_whole && std::ranges::find(sizes, bytes) != sizes.end();
    };
    element.bytes = bytes;
    if (kind == 'b' && any_of({1})) {
      element.kind = NpyElement::Kind::kBool;
    } else if (kind == 'u' && any_of({1, 2, 4, 8})) {
      element.kind = NpyElement::Kind::kUnsigned;
    } else if (kind == 'i' && any_of({1, 2, 4, 8})) {
      element.kind = NpyElement::Kind::kSigned;
    } else if (kind == 'f' && any_of({2, 4, 8})) {
      element.kind = NpyElement::Kind::kReal;
    } else if (kind == 'O') {
      fault_ =
          "its elements are Python objects; make numbers of them, such as by "
          "'np.save(file, x.astype(np.float32))'";
    } else if (kind == 'U' || kind == 'S') {
      fault_ =
          "its elements are text; make numbers of them, such as by "
          "'np.unique(y, return_inverse=True)[1]'";
    } else {
      fault_ = fmt::format(
          "its elements are of type '{}', not booleans, integers or reals of 2, 4 "
          "or 8 bytes",
          *type);
    }
  }

  void parse_shape(std::vector<Index>& shape) {
    if (!take('(')) fault_ = "its shape is missing";
    while (fault_.empty() && !take(')')) {
      peek();
      Index size = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) {
        fault_ = "its shape is no list of sizes";
        return;
      }
      at_ = static_cast<std::size_t>(end - text_.data());
      take('L');  // As Python 2 wrote it.
      shape.push_back(size);
      if (shape.size() > kMostNpyDimensions) fault_ = "it has too many dimensions";
      if (!take(',') && peek() != ')') fault_ = "its shape is no list of sizes";
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string fault_;
};

/// IEEE 754 binary16.
float float_of_half(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1f;
  const int fraction = half & 0x3ff;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity()
                          : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return half >> 15 != 0 ? -value : value;
}

/// Decodes elements that are stored as Stored and become Out by `convert`.
template <typename Stored, typename Out, typename Convert>
void decode_elements(std::span<const char> raw, bool big_endian, std::span<std::byte> out,
                     Convert convert) {
  auto* result = reinterpret_cast<Out*>(out.data());
  for (std::size_t at = 0; at < raw.size(); at += sizeof(Stored)) {
    std::array<char, sizeof(Stored)> bytes{};
    std::memcpy(bytes.data(), raw.data() + at, bytes.size());
    if (big_endian) std::ranges::reverse(bytes);
    *result++ = static_cast<Out>(convert(std::bit_cast<Stored>(bytes)));
  }
}

template <typename Stored>
void decode_integers(std::span<const char> raw, bool big_endian, std::span<std::byte> out) {
  decode_elements<Stored, std::int64_t>(raw, big_endian, out, [](Stored value) {
    // As HDF5 does with what is too large.
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    if constexpr (std::is_same_v<Stored, std::uint64_t>) {
      return static_cast<std::int64_t>(std::min<std::uint64_t>(value, kMost));
    } else {
      return static_cast<std::int64_t>(value);
    }
  });
}

template <typename Out>
void decode_reals(const NpyElement& element, std::span<const char> raw, std::span<std::byte> out) {
  switch (element.bytes) {
    case 2:
      return decode_elements<std::uint16_t, Out>(raw, element.big_endian, out, float_of_half);
    case 4:
      return decode_elements<float, Out>(raw, element.big_endian, out, [](float x) { return x; });
    default:
      return decode_elements<double, Out>(raw, element.big_endian, out, [](double x) { return x; });
  }
}

}  // namespace

void decode_npy(const NpyElement& element, std::span<const char> raw, ElementType as,
                std::span<std::byte> out) {
  using enum NpyElement::Kind;
  if (as == ElementType::kFloat32) return decode_reals<float>(element, raw, out);
  if (as == ElementType::kFloat64) return decode_reals<double>(element, raw, out);
  if (as == ElementType::kUint8) {
    std::memcpy(out.data(), raw.data(), raw.size());
    return;
  }
  const bool big = element.big_endian;
  const bool is_signed = element.kind == kSigned;
  switch (element.bytes) {
    case 1:
      return is_signed ? decode_integers<std::int8_t>(raw, big, out)
                       : decode_integers<std::uint8_t>(raw, big, out);
    case 2:
      return is_signed ? decode_integers<std::int16_t>(raw, big, out)
                       : decode_integers<std::uint16_t>(raw, big, out);
    case 4:
      return is_signed ? decode_integers<std::int32_t>(raw, big, out)
                       : decode_integers<std::uint32_t>(raw, big, out);
    default:
      return is_signed ? decode_integers<std::int64_t>(raw, big, out)
                       : decode_integers<std::uint64_t>(raw, big, out);
  }
}

NpyReader::NpyReader(std::filesystem::path path, std::optional<ZipMember> member)
    : source_(std::move(path),
              member ? std::optional<FilePart>(member->part) : std::optional<FilePart>()),
      member_(std::move(member)) {
  read_header();
}

void NpyReader::fail(std::uint64_t offset, const std::string& fault) const {
  source_.fail(offset,
               member_ ? fmt::format("in its member '{}': {}", member_->name, fault) : fault);
}

void NpyReader::read_bytes(std::span<char> out) {
  const std::size_t found = source_.read(out);
  if (found != out.size()) fail(source_.position(), "the file ends too early");
  if (member_) check_sum_.process_bytes(out.data(), out.size());
}

void NpyReader::read_header() {
  std::array<char, 8> begin{};
  read_bytes(begin);
  if (std::string_view(begin.data(), kNpyMagic.size()) != kNpyMagic) {
    fail(0, "this is no array of NumPy (.npy)");
  }
  const int version = static_cast<unsigned char>(begin[6]);
  if (version < 1 || version > 3) {
    fail(6, fmt::format("the array is of format version {}, not 1 to 3", version));
  }
  std::array<char, 4> length{};
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  read_bytes(std::span(length).first(length_bytes));
  std::uint32_t size = 0;
  for (std::size_t i = length_bytes; i-- > 0;) {
    size = size << 8 | static_cast<std::uint8_t>(length[i]);
  }
  if (size > kMostHeaderBytes) fail(8, fmt::format("the header claims {} bytes", size));
  std::string text(size, '\0');
  read_bytes(text);
  if (const std::string fault = NpyHeaderParser(text).parse(header_); !fault.empty()) {
    fail(8 + length_bytes, "of the array in its header: " + fault);
  }
  double claimed = static_cast<double>(header_.element.bytes);
  for (const Index size_of_one : header_.shape) claimed *= static_cast<double>(size_of_one);
  const double header_bytes = source_.packed() ? 0 : static_cast<double>(source_.position());
  if (!source_.can_hold(claimed + header_bytes)) {
    fail(8, fmt::format("the header claims a shape of ({}), {:.0f} bytes, more than {} bytes in "
                        "the file can hold",
                        fmt::join(header_.shape, ", "), claimed, source_.stored_bytes()));
  }
}

ElementType NpyReader::type() const {
  const NpyElement& element = header_.element;
  if (element.kind == NpyElement::Kind::kReal) {
    return element.bytes == 8 ? ElementType::kFloat64 : ElementType::kFloat32;
  }
  const bool is_byte = element.kind == NpyElement::Kind::kUnsigned && element.bytes == 1;
  return is_byte ? ElementType::kUint8 : ElementType::kOtherInteger;
}

std::optional<std::uint64_t> NpyReader::place_in_file() const {
  if (source_.packed()) return {};
  return (member_ ? member_->part.offset : 0) + source_.position();
}

void NpyReader::read(ElementType as, std::span<std::byte> out) {
  const std::size_t out_bytes = as == ElementType::kUint8     ? 1
                                : as == ElementType::kFloat32 ? sizeof(float)
                                                              : sizeof(double);
  raw_.resize(out.size() / out_bytes * header_.element.bytes);
  read_bytes(raw_);
  decode_npy(header_.element, raw_, as, out);
}

void NpyReader::finish() {
  if (!source_.at_end()) fail(source_.position(), "more follows after the last element");
  if (!member_) return;
  if (check_sum_.checksum() != member_->check_sum) {
    fail(source_.position(), "its check sum does not match, so it is damaged");
  }
}

}  // namespace sae
