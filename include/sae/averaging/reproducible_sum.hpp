#pragma once

#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/communicator.hpp"

namespace sae {

/// Evaluates a minibatch so that the bits of its gradient do not depend on how many ranks share
/// it: the global minibatch is cut into 16 fixed slices, the gradient of each is computed alone,
/// and they are added in a fixed binary tree, within a rank and then across ranks.
class ReproducibleSum {
 public:
  static constexpr Index kSlices = 16;

  /// Whether so many ranks can share the slices: 1, 2, 4, 8 or 16.
  static bool possible(int world_size) {
    return world_size <= kSlices && (world_size & (world_size - 1)) == 0;
  }

  /// Requires: possible(comm.size()). The communicator and the heartbeat, for which each slice is
  /// progress and which may be null, must outlive it.
  explicit ReproducibleSum(Communicator& comm, Heartbeat* heartbeat = nullptr)
      : comm_(comm), heartbeat_(heartbeat) {}

  /// The sums of the whole minibatch, of which `minibatch` is this rank's part.
  /// Collective: the same bits on every rank, also in the slice of the gradient.
  StepSums evaluate(Objective<float>& objective, const ParametersRef<float>& parameters,
                    const Minibatch<float>& minibatch, std::uint32_t epoch, double stop_vote);

  /// That of the last minibatch: a flat vector.
  std::span<const float> gradient() const { return span_of(gradient_); }

 private:
  ObjectiveSums add_slices(Objective<float>& objective, const ParametersRef<float>& parameters,
                           const Minibatch<float>& minibatch, std::uint32_t epoch, Range slices,
                           std::span<float> gradient, std::size_t depth);

  Communicator& comm_;
  Heartbeat* heartbeat_;
  Vector<float> gradient_;
  std::vector<Vector<float>> partial_;  // The right half of a node of the tree, for each depth.
};

}  // namespace sae
