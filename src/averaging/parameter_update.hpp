#pragma once

#include <vector>

#include "gradient_sum.hpp"
#include "sae/optim/optimizer.hpp"

namespace sae {

/// Updates the parameters by the sums that it receives: at once where the optimizer allows that,
/// else once the whole gradient is summed. The arguments must outlive it.
class ParameterUpdate final : public SumReceiver {
 public:
  ParameterUpdate(const ParameterLayout& layout, const Optimizer& optimizer,
                  const UpdatedVectors& vectors, Heartbeat* heartbeat, double& seconds);

  /// weight_decay for weights alone.
  void begin_step(const OptimizerStep& step);
  void receive(Range part, const std::vector<std::span<const float>>& gradients) override;
  void receive(Range part, const std::vector<std::span<const bfloat16>>& gradients) override;
  /// Updates what needs the whole gradient; returns whether all that was received is finite.
  /// Collective where the optimizer asks for statistics.
  bool finish(GradientSum& sum);

 private:
  template <typename G>
  void update_or_keep(Range part, const std::vector<std::span<const G>>& gradients);
  template <typename G>
  void update(Range part, const std::vector<std::span<const G>>& gradients);
  /// Calls action(array, elements of it) for each array that shares elements with the part.
  template <typename Action>
  void for_arrays_in(Range part, const Action& action) const;

  const ParameterLayout& layout_;
  const Optimizer& optimizer_;
  const UpdatedVectors& vectors_;
  Heartbeat* heartbeat_;
  double& seconds_;
  OptimizerStep step_;
  std::vector<double> statistics_;
  Vector<float> whole_;       // Sums of the parts received so far, if the optimizer needs all.
  std::vector<Range> parts_;  // Where they are.
  bool finite_ = true;
};

}  // namespace sae
