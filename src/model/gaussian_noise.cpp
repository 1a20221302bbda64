// Gaussian noise: adds a normal random number to each value. The level is its standard deviation.
#include <cmath>
#include <numbers>

#include "random_noise.hpp"

namespace sae {
namespace {

/// The normal quantile of (2 n + 1) / 2^24 with n the upper 23 bits of each word (Giles,
/// 'Approximating the erfinv function', GPU Computing Gems 2, 2011, single precision).
void normal_numbers(std::span<const std::uint32_t> words, float* normal) {
  using Array = Eigen::Array<float, Eigen::Dynamic, 1>;
  const auto count = static_cast<Index>(words.size());
  thread_local Array x;
  x.resize(count);
  for (Index i = 0; i < count; ++i) {
    x[i] = static_cast<float>(2 * (words[static_cast<std::size_t>(i)] >> 9) + 1) * 0x1p-23f - 1;
  }
  const auto polynomial = [](const auto& w, std::initializer_list<float> coefficients) {
    Array p = Array::Zero(w.size());
    for (const float c : coefficients) p = p * w + c;
    return p;
  };
  const Array w = -((1 - x) * (1 + x)).log();
  const Array near = polynomial(
      w - 2.5f, {2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f,
                 0.00021858087f, -0.00125372503f, -0.00417768164f, 0.246640727f, 1.50140941f});
  const Array far = polynomial(
      w.sqrt() - 3, {-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f,
                     0.00573950773f, -0.0076224613f, 0.00943887047f, 1.00167406f, 2.83297682f});
  Eigen::Map<Array>(normal, count) = std::numbers::sqrt2_v<float> * x * (w < 5).select(near, far);
}

}  // namespace

template <typename T>
void apply_gaussian_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                          const ConstMatrixRef<T>& x, MatrixRef<T> corrupted) {
  const auto units = static_cast<std::size_t>(x.rows());
  change_samples<T>(
      key, samples, units, x, corrupted,
      [=](const auto* from, auto* to, std::span<const std::uint32_t> words) {
        thread_local std::vector<float> normal;
        normal.resize(units);
        normal_numbers(words, normal.data());
        const auto deviation = static_cast<float>(level);
        for (std::size_t i = 0; i < units; ++i) {
          const auto value = widened(from[i]);
          store(value + static_cast<std::remove_const_t<decltype(value)>>(deviation * normal[i]),
                to[i]);
        }
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
