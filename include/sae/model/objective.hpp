#pragma once

#include <cstdint>

#include "sae/data/minibatch.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// Sums over the samples of a minibatch, never means: they add up over ranks.
struct ObjectiveSums {
  double loss = 0;
  double errors = 0;  ///< Misclassified samples; 0 where nothing is classified.
  double samples = 0;
};

/// What a stage minimises. Knows nothing of ranks: it sees one minibatch.
template <typename T>
class Objective {
 public:
  virtual ~Objective() = default;

  /// The part of the flat vectors that the objective depends on and trains.
  virtual Range slice() const = 0;

  /// Loss of the minibatch, summed over its samples; writes the gradient of that sum into
  /// the slice of `gradient` (0 for an empty minibatch) and leaves the rest of it alone. Both
  /// vectors are flat, of the layout's size. `epoch` selects the noise.
  virtual ObjectiveSums evaluate(const ParametersRef<T>& parameters, const Minibatch<T>& minibatch,
                                 std::uint32_t epoch, const GradientRef<T>& gradient) = 0;

  /// Floating-point operations of evaluate for one sample: its matrix products.
  virtual double flop_per_sample() const = 0;
};

}  // namespace sae
