// Gaussian noise: adds a normal random number to each value. The level is its standard deviation.
#include <array>
#include <boost/math/special_functions/erf.hpp>
#include <numbers>

#include "random_noise.hpp"

namespace sae {
namespace {

using Quantiles = std::array<float, 65536>;

/// The normal quantiles of (2 n + 1) / 2^17 for n = 0, 1, ...: sixteen bits draw one of them. Their
/// standard deviation is 1 to five digits, the largest is 4.3.
const Quantiles& normal_quantiles() {
  static const Quantiles quantiles = [] {
    Quantiles q{};
    for (std::size_t n = 0; n < q.size() / 2; ++n) {
      const double share =
          (2.0 * static_cast<double>(n) + 1) / (2.0 * static_cast<double>(q.size()));
      const double z = std::numbers::sqrt2 * boost::math::erf_inv(1 - 2 * share);
      q[n] = static_cast<float>(-z);
      q[q.size() - 1 - n] = static_cast<float>(z);
    }
    return q;
  }();
  return quantiles;
}

}  // namespace

template <typename T>
void apply_gaussian_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                          const ConstMatrixRef<T>& x, MatrixRef<T> corrupted) {
  const auto units = static_cast<std::size_t>(x.rows());
  const float* const quantiles = normal_quantiles().data();
  const auto deviation = static_cast<float>(level);
  // A word serves two units: its lower half the first.
  change_samples<T>(key, samples, (units + 1) / 2, x, corrupted,
                    [=](const auto* from, auto* to, std::span<const std::uint32_t> words) {
                      const auto add = [&](std::size_t i, std::uint32_t bits) {
                        const auto value = widened(from[i]);
                        using Value = std::remove_const_t<decltype(value)>;
                        store(value + static_cast<Value>(deviation * quantiles[bits]), to[i]);
                      };
                      for (std::size_t i = 0; i < units / 2; ++i) {
                        add(2 * i, words[i] & 0xffffU);
                        add(2 * i + 1, words[i] >> 16);
                      }
                      if (units % 2 == 1) add(units - 1, words[units / 2] & 0xffffU);
                    });
}

#define SAE_INSTANTIATE(T)                                                                       \
  template void apply_gaussian_noise<T>(double, const NoiseKey&, std::span<const std::uint32_t>, \
                                        const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
