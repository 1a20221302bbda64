#include "sae/model/corruption.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <type_traits>
#include <vector>

#include "sae/core/random.hpp"

namespace sae {
namespace {

template <typename T>
void mask(const std::vector<std::uint32_t>& words, std::uint32_t threshold, const T* from, T* to,
          std::size_t units) {
  // Bits as wide as T: compilers find vector instructions for integers of one size.
  using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t,
                                  std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
  const auto* draws = reinterpret_cast<const std::uint16_t*>(words.data());
  for (std::size_t i = 0; i < units; ++i) {
    const auto bits = std::bit_cast<Bits>(from[i]);
    to[i] = std::bit_cast<T>(draws[i] < threshold ? Bits{0} : bits);
  }
}

}  // namespace

template <typename T>
void apply_masking_noise(const NoiseKey& key, double level, std::span<const std::uint32_t> samples,
                         const ConstMatrixRef<T>& x, MatrixRef<T> corrupted) {
  assert(static_cast<Index>(samples.size()) == x.cols());
  const auto threshold = static_cast<std::uint32_t>(std::lround(level * 65536));
  const auto units = static_cast<std::size_t>(x.rows());
  // Sixteen bits decide on a unit: a word serves two, its lower half, which lies first, the first.
  std::vector<std::uint32_t> words(threshold > 0 ? (units + 1) / 2 : 0);
  for (Index j = 0; j < x.cols(); ++j) {
    const T* from = x.col(j).data();
    T* to = corrupted.col(j).data();
    if (threshold == 0) {
      if (from != to) std::copy_n(from, units, to);
      continue;
    }
    fill_with_random_words({.seed = key.seed,
                            .purpose = RandomPurpose::kMaskingNoise,
                            .stage = key.stage,
                            .epoch = key.epoch,
                            .sample = samples[static_cast<std::size_t>(j)]},
                           words);
    mask(words, threshold, from, to, units);
  }
}

#define SAE_INSTANTIATE(T)                                                                      \
  template void apply_masking_noise<T>(const NoiseKey&, double, std::span<const std::uint32_t>, \
                                       const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
