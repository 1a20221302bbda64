#pragma once

#include "sae/model/noise.hpp"

namespace sae {

/// corrupt() of masking noise. The level is rounded to a multiple of 2^-16.
template <typename T>
void apply_masking_noise(double level, const NoiseKey& key, std::span<const std::uint32_t> samples,
                         const ConstMatrixRef<T>& x, MatrixRef<T> corrupted);

}  // namespace sae
