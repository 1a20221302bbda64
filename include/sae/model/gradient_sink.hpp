#pragma once

#include <span>

#include "sae/model/flat_vectors.hpp"

namespace sae {

/// Sums over the samples of a minibatch, never means: they add up over ranks.
struct ObjectiveSums {
  double loss = 0;
  double errors = 0;  ///< Misclassified samples; 0 where nothing is classified.
  double samples = 0;

  ObjectiveSums& operator+=(const ObjectiveSums& other) {
    loss += other.loss;
    errors += other.errors;
    samples += other.samples;
    return *this;
  }
};

/// Takes the gradient of a minibatch bucket by bucket, contiguous ranges of the flat vector that
/// stay in the caches until they are used.
template <typename T>
class GradientSink {
 public:
  virtual ~GradientSink() = default;
  /// Takes the sums of the minibatch, before any bucket; may reduce them over ranks. Returns
  /// whether the gradient is wanted.
  virtual bool reduce_sums(const ObjectiveSums& sums) = 0;
  /// Adds up over the whole minibatch what was summed over a part of it: what batch normalisation
  /// needs. In a single process the part is the whole. Called equally often for every part, also
  /// for an empty one, and not between memory() and the end of the minibatch.
  virtual void sum_over_minibatch(std::span<double> /*sums*/) {}
  /// Memory for the gradient of `bucket`, to be filled before ready(bucket). One of the two vectors
  /// is set.
  virtual GradientRef<T> memory(Range bucket) = 0;
  /// The bucket is filled. Its parameters are not read any more for this minibatch: they may
  /// change.
  virtual void ready(Range bucket) = 0;
};

/// The buckets in one flat vector, which must outlive it.
template <typename T>
class FlatGradient final : public GradientSink<T> {
 public:
  explicit FlatGradient(std::span<T> gradient) : gradient_(gradient) {}

  bool reduce_sums(const ObjectiveSums& /*sums*/) override { return true; }
  GradientRef<T> memory(Range bucket) override { return {within(gradient_, bucket), {}}; }
  void ready(Range /*bucket*/) override {}

 private:
  std::span<T> gradient_;
};

}  // namespace sae
