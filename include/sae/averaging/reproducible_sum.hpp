#pragma once

#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/communicator.hpp"

namespace sae {

/// Computes a gradient whose bits do not depend on the number of ranks. Splits the global minibatch
/// into 16 fixed microbatches, computes the gradient of each, and adds them in a fixed binary tree,
/// first within a rank, then across ranks.
class ReproducibleSum {
 public:
  static constexpr Index kMicrobatches = 16;

  /// True for 1, 2, 4, 8 and 16 ranks.
  static bool possible(int world_size) {
    return world_size <= kMicrobatches && (world_size & (world_size - 1)) == 0;
  }

  /// Each microbatch beats `heartbeat`, which may be null. Both arguments must outlive it.
  /// Requires: possible(comm.size()).
  explicit ReproducibleSum(Communicator& comm, Heartbeat* heartbeat = nullptr)
      : comm_(comm), heartbeat_(heartbeat) {}

  /// Returns the sums over the global minibatch; `minibatch` is the local batch.
  /// Collective: the same bits on every rank, also in the trainable range of gradient().
  StepSums evaluate(Objective<float>& objective, const ParametersRef<float>& parameters,
                    const Minibatch<float>& minibatch, std::uint32_t epoch, double stop_vote);

  /// The flat gradient of the last minibatch.
  std::span<const float> gradient() const { return span_of(gradient_); }

 private:
  ObjectiveSums add_microbatches(Objective<float>& objective,
                                 const ParametersRef<float>& parameters,
                                 const Minibatch<float>& minibatch, std::uint32_t epoch,
                                 Range microbatches, std::span<float> gradient, std::size_t depth);

  Communicator& comm_;
  Heartbeat* heartbeat_;
  Vector<float> gradient_;
  std::vector<Vector<float>> partial_;  // By depth: the gradient of a right subtree.
};

}  // namespace sae
