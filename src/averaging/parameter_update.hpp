#pragma once

#include <vector>

#include "gradient_sum.hpp"
#include "max_norm.hpp"
#include "sae/optim/optimizer.hpp"

namespace sae {

/// Where an average of the parameters is kept, if any, and its decay.
struct WeightAverage {
  std::span<float> values;
  double decay = 0;
};

/// Updates the parameters from the sums that it receives: each bucket at once if the optimizer
/// allows it, else after the whole gradient has arrived. The arguments must outlive it.
class ParameterUpdate final : public SumReceiver {
 public:
  ParameterUpdate(const ParameterLayout& layout, const Optimizer& optimizer,
                  const UpdatedVectors& vectors, const WeightAverage& average, double max_norm,
                  Heartbeat* heartbeat, double& seconds);

  /// Begins a step; step.weight_decay applies to weights only.
  void begin_step(const OptimizerStep& step);
  void receive(Range bucket, const std::vector<std::span<const float>>& gradients) override;
  void receive(Range bucket, const std::vector<std::span<const bfloat16>>& gradients) override;
  /// Does the updates that need the whole gradient, and limits the norms. Returns whether all
  /// received sums are finite.
  /// Collective if the optimizer needs statistics or norms are limited.
  bool finish(GradientSum& sum);

 private:
  template <typename G>
  void update_or_store(Range bucket, const std::vector<std::span<const G>>& gradients);
  template <typename G>
  void update(Range bucket, const std::vector<std::span<const G>>& gradients);
  void update_average(Range elements) const;
  /// Calls action(array, elements) for each array that overlaps the bucket.
  template <typename Action>
  void for_arrays_in(Range bucket, const Action& action) const;

  const ParameterLayout& layout_;
  const Optimizer& optimizer_;
  const UpdatedVectors& vectors_;
  WeightAverage average_;
  MaxNorm max_norm_;
  Heartbeat* heartbeat_;
  double& seconds_;
  OptimizerStep step_;
  std::vector<double> statistics_;
  Vector<float> summed_gradient_;  // Empty unless the optimizer needs the whole gradient.
  std::vector<Range> buckets_;     // Received so far.
  bool finite_ = true;
};

}  // namespace sae
