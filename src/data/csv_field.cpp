#include "csv_field.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <system_error>

namespace sae {
namespace {

constexpr std::array<std::string_view, 6> kMissingWords = {"", "NA", "NaN", "nan", "null", "?"};

constexpr std::ptrdiff_t kMostExactDigits = 15;  // Of a double.
constexpr std::array<double, 16> kPowersOfTen = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

const char* behind_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

bool is_infinity(std::string_view field) {
  if (!field.empty() && (field.front() == '+' || field.front() == '-')) field.remove_prefix(1);
  const auto equals = [field](std::string_view word) {
    return std::ranges::equal(field, word,
                              [](char a, char b) { return (a | 0x20) == b; });  // In lower case.
  };
  return equals("inf") || equals("infinity");
}

std::string_view without_plus(std::string_view field) {
  if (!field.empty() && field.front() == '+') field.remove_prefix(1);
  return field;
}

/// Whether a number that is out of range is too small for it.
bool is_tiny(std::string_view field) {
  const auto exponent = field.find_first_of("eE");
  if (exponent != std::string_view::npos) return field.substr(exponent + 1).starts_with('-');
  const auto first = field.find_first_not_of("+-0.");
  return first != std::string_view::npos && field.find('.') < first;
}

template <typename Real>
std::errc parse_real(std::string_view field, Real& value) {
  field = without_plus(field);
  return std::from_chars(field.data(), field.data() + field.size(), value).ec;
}

}  // namespace

FieldKind kind_of_field(std::string_view field) {
  const char* at = field.data();
  const char* const end = at + field.size();
  if (at != end && (*at == '-' || *at == '+')) ++at;
  const char* const digits = at;
  at = behind_digits(at, end);
  bool has_digits = at != digits;
  if (at != end && *at == '.') {
    const char* const decimals = at + 1;
    at = behind_digits(decimals, end);
    has_digits |= at != decimals;
  }
  if (has_digits) {
    if (at == end) return FieldKind::kNumber;
    if (*at == 'e' || *at == 'E') {
      ++at;
      if (at != end && (*at == '-' || *at == '+')) ++at;
      const char* const exponent = at;
      if (behind_digits(at, end) == end && exponent != end) return FieldKind::kNumber;
    }
  }
  if (std::ranges::find(kMissingWords, field) != kMissingWords.end()) return FieldKind::kMissing;
  return is_infinity(field) ? FieldKind::kInfinite : FieldKind::kWord;
}

bool parse_plain_float(std::string_view field, float& value) {
  const char* at = field.data();
  const char* const end = at + field.size();
  const bool negative = at != end && *at == '-';
  at += negative;
  const char* const first = at;
  std::uint64_t digits = 0;
  for (; at != end && is_digit(*at); ++at) digits = digits * 10 + static_cast<unsigned>(*at - '0');
  std::ptrdiff_t count = at - first;
  std::ptrdiff_t decimals = 0;
  if (at != end && *at == '.') {
    const char* const point = at++;
    for (; at != end && is_digit(*at); ++at) {
      digits = digits * 10 + static_cast<unsigned>(*at - '0');
    }
    decimals = at - point - 1;
    count += decimals;
  }
  if (at == end && 0 < count && count <= kMostExactDigits) {
    // Both operands are exact, so the quotient is the double nearest to the number.
    const double wide =
        static_cast<double>(digits) / kPowersOfTen[static_cast<std::size_t>(decimals)];
    constexpr std::uint64_t kBelowFloat = (std::uint64_t{1} << 29) - 1;
    constexpr std::uint64_t kMiddle = std::uint64_t{1} << 28;
    // And the float nearest to that, unless rounding to double has hit the middle of two floats.
    if ((std::bit_cast<std::uint64_t>(wide) & kBelowFloat) != kMiddle) {
      value = static_cast<float>(negative ? -wide : wide);
      return true;
    }
  }
  const auto parsed = std::from_chars(field.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(value);
}

std::optional<float> float_of_field(std::string_view field) {
  float value = 0;
  if (parse_real(field, value) == std::errc()) return value;
  double wide = 0;  // Of numbers too small for it from_chars says the same as of those too large.
  if (parse_real(field, wide) != std::errc()) {
    return is_tiny(field) ? std::optional<float>(0.0f) : std::nullopt;
  }
  if (std::abs(wide) > 1) return {};
  return static_cast<float>(wide);
}

std::optional<double> double_of_field(std::string_view field) {
  double value = 0;
  if (parse_real(field, value) == std::errc()) return value;
  return is_tiny(field) ? std::optional<double>(0.0) : std::nullopt;
}

bool is_plain_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x20 || first == 0x7f) return false;
    std::size_t more = 0;
    std::uint32_t code = first;
    if (first >= 0xf0) {
      more = 3;
      code = first & 0x07U;
    } else if (first >= 0xe0) {
      more = 2;
      code = first & 0x0fU;
    } else if (first >= 0xc0) {
      more = 1;
      code = first & 0x1fU;
    } else if (first >= 0x80) {
      return false;
    }
    if (first > 0xf7 || more >= text.size() - at) return false;
    for (std::size_t i = 1; i <= more; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xc0U) != 0x80) return false;
      code = code << 6 | (next & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    at += more + 1;
  }
  return true;
}

}  // namespace sae
