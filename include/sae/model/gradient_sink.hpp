#pragma once

#include "sae/model/flat_vectors.hpp"

namespace sae {

/// Sums over the samples of a minibatch, never means: they add up over ranks.
struct ObjectiveSums {
  double loss = 0;
  double errors = 0;  ///< Misclassified samples; 0 where nothing is classified.
  double samples = 0;
};

/// Takes the gradient of a minibatch in parts of the flat vector, while the next ones are computed:
/// what is used at once need not travel to memory and back.
template <typename T>
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  /// Called once, before any part. Returns whether the gradient is wanted.
  virtual bool begin(const ObjectiveSums& sums) = 0;
  /// Memory for the gradient of the elements of `part`, to be filled before ready(part). One of the
  /// two vectors, of the size of the part.
  virtual GradientRef<T> memory(Range part) = 0;
  /// The part is filled. Its parameters are not read any more for this minibatch: they may change.
  virtual void ready(Range part) = 0;
};

/// The parts in one flat vector, which must outlive it.
template <typename T>
class FlatGradient final : public GradientSink<T> {
 public:
  explicit FlatGradient(std::span<T> gradient) : gradient_(gradient) {}

  bool begin(const ObjectiveSums& /*sums*/) override { return true; }
  GradientRef<T> memory(Range part) override { return {within(gradient_, part), {}}; }
  void ready(Range /*part*/) override {}

 private:
  std::span<T> gradient_;
};

}  // namespace sae
