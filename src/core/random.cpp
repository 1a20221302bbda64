#include "sae/core/random.hpp"

#include <Random123/philox.h>

#include <algorithm>

namespace sae {
namespace {

constexpr std::size_t kLanes = 16;  ///< Blocks at a time: they fill vector registers.
using Lanes = std::array<std::uint32_t, kLanes>;

/// Words 0 to 3 of kLanes counters. One object, so that the compiler knows they do not alias.
struct Counters {
  Lanes c0, c1, c2, c3;
};

std::uint32_t last_word_of_counter(const RandomKey& key) {
  return (static_cast<std::uint32_t>(key.purpose) << 16) | (key.stage & 0xffffU);
}

/// Ten rounds of Philox4x32 on kLanes counters, with the constants of Random123.
void philox(Counters& c, std::uint64_t seed) {
  auto k0 = static_cast<std::uint32_t>(seed);
  auto k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{PHILOX_M4x32_0} * c.c0[i];
      const std::uint64_t p1 = std::uint64_t{PHILOX_M4x32_1} * c.c2[i];
      c.c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c.c1[i] ^ k0;
      c.c1[i] = static_cast<std::uint32_t>(p1);
      c.c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c.c3[i] ^ k1;
      c.c3[i] = static_cast<std::uint32_t>(p0);
    }
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
  }
}

}  // namespace

std::array<std::uint32_t, 4> random_words(const RandomKey& key, std::uint32_t block) {
  const philox4x32_ctr_t counter = {{block, key.sample, key.epoch, last_word_of_counter(key)}};
  const philox4x32_key_t philox_key = {
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)}};
  const philox4x32_ctr_t words = philox4x32(counter, philox_key);
  return {words.v[0], words.v[1], words.v[2], words.v[3]};
}

void fill_with_random_words(const RandomKey& key, std::span<std::uint32_t> words) {
  std::array<std::uint32_t, 4 * kLanes> drawn{};
  for (std::size_t begin = 0; begin < words.size(); begin += drawn.size()) {
    Counters c;
    for (std::size_t i = 0; i < kLanes; ++i) c.c0[i] = static_cast<std::uint32_t>(begin / 4 + i);
    c.c1.fill(key.sample);
    c.c2.fill(key.epoch);
    c.c3.fill(last_word_of_counter(key));
    philox(c, key.seed);
    for (std::size_t i = 0; i < kLanes; ++i) {
      drawn[4 * i] = c.c0[i];
      drawn[4 * i + 1] = c.c1[i];
      drawn[4 * i + 2] = c.c2[i];
      drawn[4 * i + 3] = c.c3[i];
    }
    std::copy_n(drawn.begin(), std::min(drawn.size(), words.size() - begin),
                words.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

}  // namespace sae
