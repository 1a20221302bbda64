#include "fletcher32.hpp"

#include <algorithm>
#include <cstring>

namespace sae {
namespace {

constexpr std::size_t kLanes = 16;  // 32-bit words of a row.
constexpr std::size_t kRows = 256;  // Of a block: no lane overflows.
constexpr std::size_t kRowBytes = 4 * kLanes;
constexpr std::uint64_t kModulus = 65535;

/// For words w_0 ... w_(n-1): the sum of w_i and the sum of (n - i) w_i, modulo kModulus.
struct Sums {
  std::uint64_t plain = 0;
  std::uint64_t weighted = 0;
  bool all_zero = true;

  void append(const Sums& next, std::size_t words) {
    weighted = (weighted + (words % kModulus) * plain + next.weighted) % kModulus;
    plain = (plain + next.plain) % kModulus;
    all_zero = all_zero && next.all_zero;
  }
};

/// Of `rows` rows of little-endian words.
Sums sums_of_rows(const std::byte* bytes, std::size_t rows) {
  // Of GCC and clang: in vector registers, whatever their width.
  using Lanes [[gnu::vector_size(kRowBytes)]] = std::uint32_t;
  // In each lane, of its lower and upper halves: the sum over rows, and the sum of such sums.
  Lanes low{}, high{}, low_sums{}, high_sums{};
  for (std::size_t row = 0; row < rows; ++row) {
    Lanes words;
    std::memcpy(&words, bytes + row * kRowBytes, kRowBytes);
    low += words & 0xffffU;
    high += words >> 16;
    low_sums += low;
    high_sums += high;
  }
  Sums sums;
  std::uint64_t row_weighted = 0;
  std::uint64_t behind = 0;  // What the words that stand before in their row take off.
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sums.plain += std::uint64_t{low[lane]} + high[lane];
    row_weighted += std::uint64_t{low_sums[lane]} + high_sums[lane];
    behind += 2 * lane * std::uint64_t{low[lane]} + (2 * lane + 1) * std::uint64_t{high[lane]};
  }
  sums.all_zero = sums.plain == 0;
  sums.weighted = (2 * kLanes * row_weighted - behind) % kModulus;
  sums.plain %= kModulus;
  return sums;
}

Sums sums_of_words(std::span<const std::byte> bytes) {
  Sums sums;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min(sizeof word, bytes.size() - i));
    sums.append({word % kModulus, word % kModulus, word == 0}, 1);
  }
  return sums;
}

}  // namespace

std::uint32_t fletcher32(std::span<const std::byte> bytes) {
  Sums sums;
  while (bytes.size() >= kRowBytes) {
    const std::size_t rows = std::min(kRows, bytes.size() / kRowBytes);
    sums.append(sums_of_rows(bytes.data(), rows), rows * 2 * kLanes);
    bytes = bytes.subspan(rows * kRowBytes);
  }
  sums.append(sums_of_words(bytes), (bytes.size() + 1) / 2);
  // HDF5 takes the words as big-endian, which is 256 times as much modulo 65535, and of the two
  // numbers that stand for 0 uses 65535 unless all words are 0.
  const auto stored = [&](std::uint64_t sum) {
    const std::uint64_t swapped = sum * 256 % kModulus;
    return static_cast<std::uint32_t>(swapped == 0 && !sums.all_zero ? kModulus : swapped);
  };
  return stored(sums.weighted) << 16 | stored(sums.plain);
}

}  // namespace sae
