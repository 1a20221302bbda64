#pragma once

#include <cstdint>
#include <span>

#include "sae/kernels/products.hpp"

namespace sae {

/// What a corrupted minibatch is a function of, besides its samples.
struct NoiseKey {
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;
  std::uint32_t epoch = 0;
};

/// Masking noise (Vincent et al., ICML 2008): corrupted (units, samples) is x with each unit set
/// to 0 with probability `level`, in [0, 1), rounded to a multiple of 2^-16. Whether unit i of a
/// sample is masked depends on the key, the sample's index and i alone. `corrupted` may be x.
template <typename T>
void apply_masking_noise(const NoiseKey& key, double level, std::span<const std::uint32_t> samples,
                         const ConstMatrixRef<T>& x, MatrixRef<T> corrupted);

}  // namespace sae
