#pragma once

#include <cstdint>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// The local batch: one rank's part of a global minibatch. May be empty.
template <typename T>
struct Minibatch {
  Matrix<T> inputs;                    ///< Clean, in [0, 1], shape (features, samples).
  std::vector<std::uint16_t> labels;   ///< One per sample.
  std::vector<std::uint32_t> samples;  ///< Index in the training set: key of random numbers.
  Index global_size = 0;               ///< Samples over all ranks that compute one update.
  /// The first samples, so many here and over these ranks, were drawn besides the others for their
  /// labels; `global_size` does not count them.
  Index besides = 0;
  Index global_besides = 0;
  Index encoded_layers = 0;  ///< Hidden layers that produced the inputs; 0: they are pixels.

  Index size() const { return inputs.cols(); }
};

}  // namespace sae
