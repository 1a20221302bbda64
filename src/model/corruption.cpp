#include "sae/model/corruption.hpp"

#include <array>
#include <cassert>
#include <cmath>

#include "sae/core/random.hpp"

namespace sae {

template <typename T>
void apply_masking_noise(const NoiseKey& key, double level, std::span<const std::uint32_t> samples,
                         Matrix<T>& x) {
  assert(static_cast<Index>(samples.size()) == x.cols());
  const auto threshold = static_cast<std::uint32_t>(std::lround(level * 65536));
  if (threshold == 0) return;
  for (Index j = 0; j < x.cols(); ++j) {
    const RandomKey random_key{.seed = key.seed,
                               .purpose = RandomPurpose::kMaskingNoise,
                               .stage = key.stage,
                               .epoch = key.epoch,
                               .sample = samples[static_cast<std::size_t>(j)]};
    T* units = x.col(j).data();
    // Sixteen bits decide on a unit, so that a block of four words serves eight.
    for (Index i = 0; i < x.rows(); i += 8) {
      const auto words = random_words(random_key, static_cast<std::uint32_t>(i / 8));
      const std::array<std::uint32_t, 8> draws = {
          words[0] & 0xffffU, words[0] >> 16, words[1] & 0xffffU, words[1] >> 16,
          words[2] & 0xffffU, words[2] >> 16, words[3] & 0xffffU, words[3] >> 16};
      const Index count = std::min<Index>(8, x.rows() - i);
      for (Index k = 0; k < count; ++k) {
        units[i + k] = draws[static_cast<std::size_t>(k)] < threshold ? T(0) : units[i + k];
      }
    }
  }
}

template void apply_masking_noise<float>(const NoiseKey&, double, std::span<const std::uint32_t>,
                                         Matrix<float>&);
template void apply_masking_noise<double>(const NoiseKey&, double, std::span<const std::uint32_t>,
                                          Matrix<double>&);

}  // namespace sae
