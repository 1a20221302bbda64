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

/// Types of the elements of a gradient.
struct GradientFormat {
  Precision written = Precision::kFloat32;  ///< As objectives give it.
  Precision sent = Precision::kFloat32;     ///< As it travels between ranks.

  /// Bytes of so many elements as objectives give them, in whole cache lines.
  std::size_t bytes(Index size) const;
  /// So many elements at the begin of `memory`.
  GradientRef<float> at(std::byte* memory, Index size) const;
};

/// Takes the sums of a gradient as they come, each element once a step.
class SumReceiver {
 public:
  virtual ~SumReceiver() = default;
  /// The sum of `gradients`, each of the size of `part`, is the sum over all ranks.
  virtual void receive(Range part, const std::vector<std::span<const float>>& gradients) = 0;
  virtual void receive(Range part, const std::vector<std::span<const bfloat16>>& gradients) = 0;
  /// The same of gradients as objectives give them, all of one type.
  void receive_all(Range part, const std::vector<GradientRef<float>>& gradients);
};

/// Sums the gradients of all ranks, and knows what ranks share. Each rank receives the sums of the
/// parameters that it updates: all of them, or a share of those that its node holds once.
class GradientSum {
 public:
  virtual ~GradientSum() = default;

  /// Memory of parameters and optimizer state, zeroed, aligned to cache lines: this rank's or its
  /// node's. Called once, before all else. Collective.
  virtual std::byte* allocate_state(std::size_t bytes) = 0;
  /// Whether this rank is the one that writes to the state outside of updates, for all who share
  /// it.
  virtual bool initializes_state() const = 0;
  /// Makes what rank 0 holds in these parts of the state that of all ranks. Collective.
  virtual void broadcast_state(const std::vector<std::span<std::byte>>& parts) = 0;

  /// As GradientSink. What has been summed by then may be given to the receiver.
  virtual GradientRef<float> memory(Range part, SumReceiver& receiver) = 0;
  virtual void ready(Range part, SumReceiver& receiver) = 0;
  /// Gives all sums of the step that are left. Collective.
  virtual void finish(SumReceiver& receiver) = 0;
  /// Adds up what ranks have computed from the sums that they received, so that each element of the
  /// gradient counts once. All ranks get the same bits. Collective.
  virtual void add_shares(std::span<double> values) = 0;
  /// The parameters may be read once it returns whether `finite` holds on all ranks. Collective.
  virtual bool end_step(bool finite) = 0;

  /// Gives back what ranks share. Collective.
  virtual void close() {}

  virtual UpdateShare update_share() const = 0;
  /// Such as "node, bfloat16 gradients".
  virtual std::string description() const = 0;
};

/// What both strategies are made of; all but the numbers must outlive them.
struct GradientSumSettings {
  const ParameterLayout& layout;
  GradientFormat format;
  Communicator& comm;
  Heartbeat* heartbeat;    ///< May be null.
  UpdateSeconds& seconds;  ///< Gets the time of the sums.
};

/// Each rank holds and updates everything.
std::unique_ptr<GradientSum> make_flat_sum(const GradientSumSettings& settings);

/// The ranks of a node share `state_bytes`. None if it is not asked for by name and brings nothing,
/// or a node lacks the shared memory.
/// Collective. Throws: CommunicationError if it is asked for by name and impossible.
std::unique_ptr<GradientSum> make_node_sum(const GradientSumSettings& settings,
                                           std::size_t state_bytes, bool by_name);

}  // namespace sae
