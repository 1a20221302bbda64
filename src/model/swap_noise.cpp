// Swap noise: a changed value is that of the same unit in one of the donors.
#include "random_noise.hpp"

namespace sae {

template <typename T>
void apply_swap_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                      const ConstMatrixRef<T>& x, MatrixRef<T> corrupted, const Matrix<T>& donors) {
  if (donors.cols() == 0) {
    corrupted = x;
    return;
  }
  assert(donors.rows() == x.rows());
  const std::uint64_t changed = threshold_of(level);
  const auto units = static_cast<std::size_t>(x.rows());
  const auto count = static_cast<std::uint64_t>(donors.cols());
  const auto* values = bits_of(donors.data());
  // A word of each pair decides, the other chooses the donor.
  change_samples<T>(key, samples, 2 * units, x, corrupted,
                    [=](const auto* from, auto* to, std::span<const std::uint32_t> words) {
                      for (std::size_t i = 0; i < units; ++i) {
                        to[i] = from[i];
                        if (words[2 * i] >= changed) continue;
                        to[i] = values[(words[2 * i + 1] * count >> 32) * units + i];
                      }
                    });
}

#define SAE_INSTANTIATE(T)                                                                   \
  template void apply_swap_noise<T>(double, const NoiseKey&, std::span<const std::uint32_t>, \
                                    const ConstMatrixRef<T>&, MatrixRef<T>, const Matrix<T>&);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
