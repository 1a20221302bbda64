#include "sae/model/noise.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace sae {

// Each kind has a source of its own.
template <typename T>
void apply_masking_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                         const ConstMatrixRef<T>& x, MatrixRef<T> corrupted);

const Choices<NoiseKind>& noise_kinds() {
  static const Choices<NoiseKind> kinds = {
      {"masking", NoiseKind::kMasking, "the level is the share of inputs set to 0"}};
  return kinds;
}

std::string name_of(NoiseKind kind) { return name_of(kind, noise_kinds()); }

std::string describe(const Noise& noise, const std::string& units) {
  switch (noise.kind) {
    case NoiseKind::kMasking:
      break;
  }
  return fmt::format("{:g} % of the {} set to 0", 100 * noise.level, units);
}

template <typename T>
void corrupt(const Noise& noise, const NoiseKey& key, std::span<const std::uint32_t> samples,
             const ConstMatrixRef<T>& x, MatrixRef<T> corrupted) {
  switch (noise.kind) {
    case NoiseKind::kMasking:
      return apply_masking_noise<T>(noise.level, key, samples, x, corrupted);
  }
  throw std::logic_error("no such noise");
}

#define SAE_INSTANTIATE(T)                                                                \
  template void corrupt<T>(const Noise&, const NoiseKey&, std::span<const std::uint32_t>, \
                           const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
SAE_INSTANTIATE(bfloat16)
#undef SAE_INSTANTIATE

}  // namespace sae
