#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sae/core/choices.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

enum class NoiseKind {
  kMasking,        ///< Units are set to 0 (Vincent et al., ICML 2008).
  kSaltAndPepper,  ///< Units are set to 0 or 1 (Vincent et al., JMLR 11, 2010).
  kGaussian,       ///< A normal random number is added.
  kSwap            ///< Units take the value of another sample.
};

/// Noise as a value: which, and how much of it.
struct Noise {
  NoiseKind kind = NoiseKind::kMasking;
  /// The probability of a unit to change, in [0, 1); of kGaussian the standard deviation.
  double level = 0;
};

/// What corrupted samples are a function of, besides their indices.
struct NoiseKey {
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;
  std::uint32_t epoch = 0;
};

/// All kinds with their names in settings and files, such as "masking".
const Choices<NoiseKind>& noise_kinds();

std::string name_of(NoiseKind kind);

/// What it does to "inputs" or "pixels", such as "30 % of the pixels set to 0".
std::string describe(const Noise& noise, const std::string& units);

/// corrupted (units, samples) is x with noise. What becomes of unit i of a sample depends on the
/// noise, the key, the sample's index, x and the donors alone, so on no rank. `corrupted` may be x.
/// `donors` (units, count) are the samples whose values kSwap takes; without them it changes
/// nothing.
template <typename T>
void corrupt(const Noise& noise, const NoiseKey& key, std::span<const std::uint32_t> samples,
             const ConstMatrixRef<T>& x, MatrixRef<T> corrupted, const Matrix<T>& donors = {});

}  // namespace sae
