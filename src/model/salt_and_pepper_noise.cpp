// Salt-and-pepper noise: half of the changed values become 0, the others 1.
#include "random_noise.hpp"

namespace sae {

template <typename T>
void apply_salt_and_pepper_noise(double level, const NoiseKey& key,
                                 std::span<const std::uint32_t> samples, const ConstMatrixRef<T>& x,
                                 MatrixRef<T> corrupted) {
  const std::uint64_t changed = threshold_of(level);
  const std::uint64_t black = threshold_of(level / 2);
  const auto units = static_cast<std::size_t>(x.rows());
  change_samples<T>(key, samples, units, x, corrupted,
                    [=](const auto* from, auto* to, std::span<const std::uint32_t> words) {
                      for (std::size_t i = 0; i < units; ++i) {
                        to[i] = from[i];
                        if (words[i] < changed)
                          store(static_cast<Master<T>>(words[i] < black ? 0 : 1), to[i]);
                      }
                    });
}

#define SAE_INSTANTIATE(T)                                                     \
  template void apply_salt_and_pepper_noise<T>(double, const NoiseKey&,        \
                                               std::span<const std::uint32_t>, \
                                               const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
