// Masking noise. The level is rounded to a multiple of 2^-16.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "random_noise.hpp"

namespace sae {
namespace {

/// Bits is T, or the bits of a bfloat16.
template <typename Bits>
void mask(std::span<const std::uint32_t> words, std::uint32_t threshold, const Bits* from, Bits* to,
          std::size_t units) {
  thread_local std::vector<std::uint16_t> halves;
  halves.resize(2 * words.size());
  std::memcpy(halves.data(), words.data(), words.size() * sizeof words[0]);
  const std::uint16_t* draws = halves.data();
  // A level next to 1 keeps one in 65536.
  const auto first_kept = static_cast<std::uint16_t>(std::min(threshold, 65535U));
#pragma omp simd
  for (std::size_t i = 0; i < units; ++i) to[i] = draws[i] < first_kept ? Bits{0} : from[i];
}

}  // namespace

template <typename T>
void apply_masking_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                         const ConstMatrixRef<T>& x, MatrixRef<T> corrupted) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(level * 65536));
  if (threshold == 0) {
    if (x.data() != corrupted.data()) corrupted = x;
    return;
  }
  const auto units = static_cast<std::size_t>(x.rows());
  // Sixteen bits decide on a unit: a word serves two, its lower half, which lies first, the first.
  change_samples<T>(key, samples, (units + 1) / 2, x, corrupted,
                    [=](const auto* from, auto* to, std::span<const std::uint32_t> words) {
                      mask(words, threshold, from, to, units);
                    });
}

#define SAE_INSTANTIATE(T)                                                                      \
  template void apply_masking_noise<T>(double, const NoiseKey&, std::span<const std::uint32_t>, \
                                       const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
