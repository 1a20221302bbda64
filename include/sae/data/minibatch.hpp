#pragma once

#include <cstdint>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// One rank's part of a global minibatch; empty where there are more ranks than samples.
template <typename T>
struct Minibatch {
  Matrix<T> inputs;                    ///< Clean, in [0, 1], shape (features, samples).
  std::vector<std::uint16_t> labels;   ///< One per sample.
  std::vector<std::uint32_t> samples;  ///< Index in the training set: what random numbers key on.
  Index global_size = 0;               ///< Samples of the minibatch over all ranks.
  Index encoded_layers = 0;            ///< Hidden layers that the inputs are codes of; 0: pixels.

  Index size() const { return inputs.cols(); }
};

}  // namespace sae
