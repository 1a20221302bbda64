#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// Element types of a gradient.
struct GradientFormat {
  Precision written = Precision::kFloat32;  ///< As written by objectives.
  Precision sent = Precision::kFloat32;     ///< As sent between ranks.

  /// Bytes of `size` written elements, rounded up to whole cache lines.
  std::size_t bytes(Index size) const;
  /// The first `size` written elements of `memory`.
  GradientRef<float> at(std::byte* memory, Index size) const;
};

/// Receives the summed gradient bucket by bucket, each element once a step.
class SumReceiver {
 public:
  virtual ~SumReceiver() = default;
  /// The sum over all ranks is the sum of `gradients`, each of the size of `bucket`.
  virtual void receive(Range bucket, const std::vector<std::span<const float>>& gradients) = 0;
  virtual void receive(Range bucket, const std::vector<std::span<const bfloat16>>& gradients) = 0;
  /// The same for gradients as objectives write them, all of one type.
  void receive_all(Range bucket, const std::vector<GradientRef<float>>& gradients);
};

/// Sums gradients over all ranks and owns the memory that ranks share. Each rank receives the sums
/// of the parameters that it updates: all of them, or the ranges it owns of its node's single copy.
class GradientSum {
 public:
  virtual ~GradientSum() = default;

  /// Memory for parameters and optimizer state, of this rank or shared by its node; zero, aligned
  /// to cache lines.
  /// Collective. Requires: called once, before any other member.
  virtual std::byte* allocate_state(std::size_t bytes) = 0;
  /// Whether this rank writes the state outside of updates, on behalf of all ranks that share it.
  virtual bool initializes_state() const = 0;
  /// Broadcasts these arrays of the state from rank 0. Collective.
  virtual void broadcast_state(const std::vector<std::span<std::byte>>& arrays) = 0;

  /// Whether sums travel between hosts while the objective computes.
  virtual bool overlaps() const = 0;
  /// As in GradientSink. May pass buckets that are already summed to the receiver.
  virtual GradientRef<float> memory(Range bucket, SumReceiver& receiver) = 0;
  virtual void ready(Range bucket, SumReceiver& receiver) = 0;
  /// Passes all remaining sums of the step to the receiver. Collective.
  virtual void finish(SumReceiver& receiver) = 0;
  /// Sums values that ranks derived from the sums they received; each element of the gradient
  /// counts once. All ranks get the same bits. Collective.
  virtual void allreduce_over_owners(std::span<double> values) = 0;
  /// Returns whether `finite` holds on all ranks; afterwards all ranks may read the parameters.
  /// Collective.
  virtual bool end_step(bool finite) = 0;

  /// Frees shared memory and communicators. Collective.
  virtual void close() {}

  virtual UpdateShare update_share() const = 0;
  /// Such as "node, bfloat16 gradients".
  virtual std::string description() const = 0;
};

/// Arguments of both strategies; what they refer to must outlive them.
struct GradientSumSettings {
  const ParameterLayout& layout;
  GradientFormat format;
  Communicator& comm;
  Heartbeat* heartbeat;    ///< May be null.
  UpdateSeconds& seconds;  ///< The time of the sums is added here.
};

/// Each rank holds and updates all parameters. Collective.
std::unique_ptr<GradientSum> make_flat_sum(const GradientSumSettings& settings);

/// The ranks of a node share one copy of the state of `state_bytes`. Unless `by_name`, returns null
/// if no node has two ranks or a node lacks shared memory.
/// Collective. Throws: CommunicationError if `by_name` and a node lacks shared memory.
std::unique_ptr<GradientSum> make_node_sum(const GradientSumSettings& settings,
                                           std::size_t state_bytes, bool by_name);

}  // namespace sae
