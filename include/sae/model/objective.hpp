#pragma once

#include <cstdint>

#include "sae/data/minibatch.hpp"
#include "sae/model/gradient_sink.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// What a stage minimises. Knows nothing of ranks: it sees one minibatch.
template <typename T>
class Objective {
 public:
  virtual ~Objective() = default;

  /// The part of the flat vectors that the objective depends on and trains.
  virtual Range trainable_range() const = 0;

  /// To be called before the first minibatch of a stage, and again when a session goes back to it:
  /// the parameters outside the trainable range stay what they are now.
  virtual void stage_begins(const ParametersRef<T>& /*parameters*/) {}

  /// Loss of the minibatch, summed over its samples; gives the gradient of that sum within the
  /// trainable range (0 for an empty minibatch) to `gradient`, in the same buckets for every
  /// minibatch. `parameters` is flat, of the layout's size. `epoch` selects the noise. The inputs
  /// may be codes of layers that the objective only passes through.
  virtual ObjectiveSums evaluate(const ParametersRef<T>& parameters, const Minibatch<T>& minibatch,
                                 std::uint32_t epoch, GradientSink<T>& gradient) = 0;

  /// The same into a flat vector, of which the rest is left alone.
  ObjectiveSums evaluate(const ParametersRef<T>& parameters, const Minibatch<T>& minibatch,
                         std::uint32_t epoch, Vector<T>& gradient) {
    FlatGradient<T> sink(span_of(gradient));
    return evaluate(parameters, minibatch, epoch, sink);
  }

  /// Floating-point operations of evaluate for one sample: its matrix products, where the inputs
  /// are codes of so many layers.
  virtual double flop_per_sample(Index encoded_layers) const = 0;
};

}  // namespace sae
