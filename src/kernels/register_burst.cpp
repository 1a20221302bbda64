// The most that the instructions of products can compute, with operands in registers.
#include <array>

#include "sae/kernels/instructions.hpp"
#include "tiles.hpp"

namespace sae {
namespace {

/// Computes for a while with all registers; returns the operations.
using Burst = double (*)();

#ifdef SAE_HAS_TILES

constexpr int kRounds = 20000;

[[gnu::target("avx2,fma")]] double fma_by_256_bits() {
  constexpr int kSums = 12;
  __m256 sums[kSums];
  for (__m256& sum : sums) sum = _mm256_set1_ps(1);
  const __m256 factor = _mm256_setzero_ps();
  const __m256 term = _mm256_set1_ps(1);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m256& sum : sums) {
      sum = _mm256_fmadd_ps(sum, factor, term);
      asm volatile("" : "+x"(sum));  // Not to be optimised away.
    }
  }
  return 2.0 * 8 * kSums * kRounds;
}

[[gnu::target("avx512f")]] double fma_by_512_bits() {
  constexpr int kSums = 12;
  __m512 sums[kSums];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1);
  const __m512 factor = _mm512_setzero_ps();
  const __m512 term = _mm512_set1_ps(1);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) {
      sum = _mm512_fmadd_ps(sum, factor, term);
      asm volatile("" : "+x"(sum));
    }
  }
  return 2.0 * 16 * kSums * kRounds;
}

[[gnu::target("avx512f,avx512bf16")]] double bfloat16_by_512_bits() {
  constexpr int kSums = 12;
  __m512 sums[kSums];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1);
  const auto operand = reinterpret_cast<__m512bh>(_mm512_setzero_ps());
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, operand, operand);
      asm volatile("" : "+x"(sum));
    }
  }
  return 2.0 * 32 * kSums * kRounds;
}

SAE_TILES double bfloat16_by_tiles() {
  begin_tiles();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  constexpr int kTileRounds = kRounds / 10;
  for (int i = 0; i < kTileRounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  end_tiles();
  return 2.0 * 16 * 16 * 32 * 4 * kTileRounds;
}

/// Null where the processor has no such instructions.
Burst burst_of(bool rounded_operands) {
  if (rounded_operands) {
    if (may_use_tiles()) return bfloat16_by_tiles;
    return __builtin_cpu_supports("avx512bf16") ? bfloat16_by_512_bits : nullptr;
  }
  // Products may have been told to use less than there is.
  const bool wide = !instruction_set().starts_with("AVX2");
  if (wide && __builtin_cpu_supports("avx512f")) return fma_by_512_bits;
  const bool has_256 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has_256 ? fma_by_256_bits : nullptr;
}

#else

Burst burst_of(bool /*rounded_operands*/) { return nullptr; }

#endif

}  // namespace

double compute_in_registers(bool rounded_operands) {
  static const std::array bursts = {burst_of(false), burst_of(true)};
  const Burst burst = bursts[rounded_operands ? 1 : 0];
  return burst == nullptr ? 0 : burst();
}

}  // namespace sae
