#include "sae/model/noise.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace sae {

// Each kind has a source of its own.
template <typename T>
void apply_masking_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                         const ConstMatrixRef<T>& x, MatrixRef<T> corrupted);

template <typename T>
void apply_salt_and_pepper_noise(double level, const NoiseKey& key,
                                 std::span<const std::uint32_t> samples, const ConstMatrixRef<T>& x,
                                 MatrixRef<T> corrupted);
template <typename T>
void apply_gaussian_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                          const ConstMatrixRef<T>& x, MatrixRef<T> corrupted);
template <typename T>
void apply_swap_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                      const ConstMatrixRef<T>& x, MatrixRef<T> corrupted, const Matrix<T>& donors);

const Choices<NoiseKind>& noise_kinds() {
  static const Choices<NoiseKind> kinds = {
      {"masking", NoiseKind::kMasking, "the level is the share of inputs set to 0"},
      {"salt-and-pepper", NoiseKind::kSaltAndPepper, "the share set to 0 or 1"},
      {"gaussian", NoiseKind::kGaussian, "the standard deviation of what is added"},
      {"swap", NoiseKind::kSwap, "the share that takes the value of another sample"}};
  return kinds;
}

std::string name_of(NoiseKind kind) { return name_of(kind, noise_kinds()); }

std::string describe(const Noise& noise, const std::string& units) {
  switch (noise.kind) {
    case NoiseKind::kMasking:
      break;
    case NoiseKind::kSaltAndPepper:
      return fmt::format("{:g} % of the {} set to 0 or 1", 100 * noise.level, units);
    case NoiseKind::kGaussian:
      return fmt::format("noise of standard deviation {:g} added to the {}", noise.level, units);
    case NoiseKind::kSwap:
      return fmt::format("{:g} % of the {} taken from other samples", 100 * noise.level, units);
  }
  return fmt::format("{:g} % of the {} set to 0", 100 * noise.level, units);
}

template <typename T>
void corrupt(const Noise& noise, const NoiseKey& key, std::span<const std::uint32_t> samples,
             const ConstMatrixRef<T>& x, MatrixRef<T> corrupted, const Matrix<T>& donors) {
  if (noise.level == 0) {
    corrupted = x;
    return;
  }
  switch (noise.kind) {
    case NoiseKind::kMasking:
      return apply_masking_noise<T>(noise.level, key, samples, x, corrupted);
    case NoiseKind::kSaltAndPepper:
      return apply_salt_and_pepper_noise<T>(noise.level, key, samples, x, corrupted);
    case NoiseKind::kGaussian:
      return apply_gaussian_noise<T>(noise.level, key, samples, x, corrupted);
    case NoiseKind::kSwap:
      return apply_swap_noise<T>(noise.level, key, samples, x, corrupted, donors);
  }
  throw std::logic_error("no such noise");
}

#define SAE_INSTANTIATE(T)                                                                \
  template void corrupt<T>(const Noise&, const NoiseKey&, std::span<const std::uint32_t>, \
                           const ConstMatrixRef<T>&, MatrixRef<T>, const Matrix<T>&);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
