// The most that the instructions of products can compute, with operands in registers.
#include <cstdint>

#include "bench_measure.hpp"
#include "sae/kernels/instructions.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define SAE_MEASURES_PEAK
#endif

namespace sae {
namespace {

/// Computes for a while with all registers; returns how many operations (multiplications and
/// additions) that were.
using Burst = double (*)();

#ifdef SAE_MEASURES_PEAK

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

/// The palette, the bytes of a row and the rows of each of the eight tiles.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::array<std::uint8_t, 14> reserved = {};
  std::array<std::uint16_t, 16> row_bytes = {64, 64, 64, 64, 64, 64, 64, 64};
  std::array<std::uint8_t, 16> rows = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// Requires: may_use_tiles().
[[gnu::target("amx-tile,amx-bf16")]] double bfloat16_by_tiles() {
  const TileConfiguration configuration;
  asm volatile("" : : "m"(configuration));  // GCC takes only its first bytes for read.
  _tile_loadconfig(&configuration);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int i = 0; i < kRounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
  return 2.0 * 16 * 16 * 32 * 4 * kRounds;
}

/// Null where the processor has no such instructions.
Burst burst_of(Precision operands) {
  if (operands == Precision::kBfloat16) {
    if (may_use_tiles()) return bfloat16_by_tiles;
    return __builtin_cpu_supports("avx512bf16") ? bfloat16_by_512_bits : nullptr;
  }
  if (__builtin_cpu_supports("avx512f")) return fma_by_512_bits;
  const bool has_256 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return has_256 ? fma_by_256_bits : nullptr;
}

#else

Burst burst_of(Precision /*operands*/) { return nullptr; }

#endif

}  // namespace

double measure_peak(Precision operands, double seconds, Communicator& comm) {
  const Burst burst = burst_of(operands);
  if (comm.any(burst == nullptr)) return 0;
  double operations = 0;
  const double each = measure(seconds, comm, [&] {
    double sum = 0;
#pragma omp parallel reduction(+ : sum)
    sum += burst();
    operations = sum;
  });
  return operations / each;
}

}  // namespace sae
