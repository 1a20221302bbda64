#include "sae/core/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace sae {
namespace {

/// Counters, or words, of several blocks, each in the lower half of a lane; the upper half has no
/// meaning. product(a, b) multiplies the lower halves.
#if defined(__AVX512F__)
constexpr std::size_t kLanes = 8;
using Lanes = std::uint64_t __attribute__((vector_size(64)));
Lanes product(Lanes a, Lanes b) { return (Lanes)_mm512_mul_epu32((__m512i)a, (__m512i)b); }
#elif defined(__AVX2__)
constexpr std::size_t kLanes = 4;
using Lanes = std::uint64_t __attribute__((vector_size(32)));
Lanes product(Lanes a, Lanes b) { return (Lanes)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
#else
constexpr std::size_t kLanes = 1;
using Lanes = std::uint64_t;
Lanes product(Lanes a, Lanes b) { return (a & 0xffffffffU) * b; }
#endif

constexpr std::size_t kGroups = 4;  ///< Independent, so that one's products hide another's wait.
constexpr std::size_t kBlocks = kGroups * kLanes;

std::uint32_t last_word_of_counter(const RandomKey& key) {
  return (static_cast<std::uint32_t>(key.purpose) << 16) | (key.stage & 0xffffU);
}

/// Words w[0] to w[3] of the counters of kBlocks blocks.
struct Counters {
  std::array<std::array<std::uint64_t, kBlocks>, 4> w;
};

/// Ten rounds of Philox4x32, with the constants of Random123.
void philox(Counters& counters, std::uint64_t seed) {
  std::array<std::array<Lanes, 4>, kGroups> c;
  for (std::size_t g = 0; g < kGroups; ++g) {
    for (std::size_t k = 0; k < 4; ++k) {
      std::memcpy(&c[g][k], &counters.w[k][g * kLanes], sizeof(Lanes));
    }
  }
  auto k0 = static_cast<std::uint32_t>(seed);
  auto k1 = static_cast<std::uint32_t>(seed >> 32);
  const Lanes zero{};
  for (int round = 0; round < 10; ++round) {
    for (auto& [c0, c1, c2, c3] : c) {
      const Lanes p0 = product(c0, zero + std::uint64_t{PHILOX_M4x32_0});
      const Lanes p1 = product(c2, zero + std::uint64_t{PHILOX_M4x32_1});
      c0 = (p1 >> 32) ^ c1 ^ std::uint64_t{k0};
      c1 = p1;
      c2 = (p0 >> 32) ^ c3 ^ std::uint64_t{k1};
      c3 = p0;
    }
    k0 += PHILOX_W32_0;
    k1 += PHILOX_W32_1;
  }
  for (std::size_t g = 0; g < kGroups; ++g) {
    for (std::size_t k = 0; k < 4; ++k) {
      std::memcpy(&counters.w[k][g * kLanes], &c[g][k], sizeof(Lanes));
    }
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
  Counters c;
  std::array<std::uint32_t, 4 * kBlocks> drawn;
  for (std::size_t begin = 0; begin < words.size(); begin += drawn.size()) {
    for (std::size_t i = 0; i < kBlocks; ++i) c.w[0][i] = begin / 4 + i;
    c.w[1].fill(key.sample);
    c.w[2].fill(key.epoch);
    c.w[3].fill(last_word_of_counter(key));
    philox(c, key.seed);
    for (std::size_t i = 0; i < kBlocks; ++i) {
      for (std::size_t k = 0; k < 4; ++k) drawn[4 * i + k] = static_cast<std::uint32_t>(c.w[k][i]);
    }
    std::copy_n(drawn.begin(), std::min(drawn.size(), words.size() - begin),
                words.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

}  // namespace sae
