#pragma once

#include <memory>
#include <span>
#include <string>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/model/objective.hpp"
#include "sae/optim/optimizer.hpp"

namespace sae {

/// Type of the operands of products, or of the elements of a gradient.
enum class Precision { kFloat32, kBfloat16 };

/// "float32" or "bfloat16".
const char* name_of(Precision precision);
/// Such as "bfloat16 operands, float32 sums and weights".
std::string describe(Precision precision);

enum class Averaging {
  kAuto,  ///< By node where a node has several ranks and enough shared memory, else flat.
  kFlat,  ///< Each rank holds and updates everything; one sum over all ranks.
  kNode   ///< The ranks of a node share one copy; each updates its part of it.
};

struct AveragingSettings {
  Averaging strategy = Averaging::kAuto;
  Precision products = Precision::kFloat32;
  Precision gradient = Precision::kFloat32;  ///< As it travels between ranks.
  OptimizerSettings optimizer = {};
  /// Bits that do not depend on the number of ranks; see ReproducibleSum. Needs kFlat.
  bool reproducible = false;

  /// As objectives give it: they round it themselves where their products are rounded.
  Precision written_gradient() const {
    return products == Precision::kBfloat16 ? gradient : Precision::kFloat32;
  }
};

/// A flat vector that an optimizer keeps, such as "velocity".
struct OptimizerSlot {
  std::string name;
  std::span<float> values;
};

/// What the ranks tell each other in a step, besides the gradient.
struct StepSums {
  ObjectiveSums objective;
  double stop_votes = 0;  ///< Ranks that were asked to stop.
};

/// Where the time of updates went on this rank, in seconds.
struct UpdateSeconds {
  double reduction = 0;  ///< Waiting for the other ranks, and sums over them.
  double update = 0;     ///< Of the parameters, with the sum of gradients in shared memory.
};

/// What an update of a rank is.
struct UpdateShare {
  int owners = 1;         ///< Ranks that share the parameters, each of which updates a share.
  int gradients = 1;      ///< That it adds up as it updates,
  bool in_parts = false;  ///< in parts that stay in the caches,
  Precision element = Precision::kFloat32;  ///< of such elements.
};

class GradientSum;
class ParameterUpdate;
class ReproducibleSum;

/// Holds the flat vectors of a run and turns the gradients of all ranks into one update: the one
/// place where model and ranks meet. The sum is divided once, by the samples of the whole
/// minibatch: ranks can hold unequal parts of it. A step is
///
///   averaging.start_step(step, stop_vote);
///   averaging.evaluate(objective, minibatch, epoch, averaging);
///   const bool finite = averaging.finish_step(sums);
///
/// All ranks do that together. What is summed and updated while the objective still computes is
/// up to the strategy and the optimizer; after finish_step all ranks see the same bits.
class GradientAveraging final : public GradientSink<float> {
 public:
  /// Parameters and slots are 0. The layout, the communicator and the heartbeat, which may be
  /// null, must outlive it.
  /// Collective. Throws: CommunicationError if kNode is asked for and a node lacks shared memory.
  GradientAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                    Communicator& comm, Heartbeat* heartbeat = nullptr);
  /// The same with another optimizer than the settings name.
  GradientAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                    std::unique_ptr<const Optimizer> optimizer, Communicator& comm,
                    Heartbeat* heartbeat = nullptr);
  ~GradientAveraging() override;
  GradientAveraging(const GradientAveraging&) = delete;
  GradientAveraging& operator=(const GradientAveraging&) = delete;

  std::span<float> parameters() { return vectors_.parameters; }
  const std::vector<OptimizerSlot>& slots() { return slots_; }
  /// What an objective reads.
  ParametersRef<float> parameters_ref() const { return {vectors_.parameters, vectors_.rounded}; }

  /// Makes what rank 0 wrote to parameters() and slots() that of all ranks. Collective.
  void share_from_root();

  /// Sets the slots to 0, at the begin of a stage. To be called by all ranks between two steps.
  void reset_slots();

  /// `step` says how the parameters are updated, weight_decay for weights alone. Local.
  void start_step(const OptimizerStep& step, double stop_vote);

  /// Lets the objective give the gradient of this rank's part of a minibatch to `gradient`, which
  /// is this or passes on to it; of a reproducible run nothing is passed on. Collective.
  void evaluate(Objective<float>& objective, const Minibatch<float>& minibatch, std::uint32_t epoch,
                GradientSink<float>& gradient);

  /// Adds up the sums of the step over ranks. False if the loss is not finite. Collective.
  bool begin(const ObjectiveSums& sums) override;
  GradientRef<float> memory(Range part) override;
  void ready(Range part) override;

  /// Returns whether loss and gradient are finite, the same on all ranks; `sums` gets the sums over
  /// ranks. Collective.
  bool finish_step(StepSums& sums);

  /// Gives back what ranks share; nothing may be called any more. Without it that is kept until MPI
  /// ends. Collective.
  void close();

  UpdateShare update_share() const;
  /// Such as "node, bfloat16 gradients".
  std::string description() const;
  const UpdateSeconds& seconds() const { return seconds_; }

 private:
  Communicator& comm_;
  Heartbeat* heartbeat_;
  std::unique_ptr<const Optimizer> optimizer_;
  UpdateSeconds seconds_;
  std::unique_ptr<GradientSum> sum_;
  UpdatedVectors vectors_;  // All of them, where the strategy keeps them.
  std::vector<OptimizerSlot> slots_;
  std::unique_ptr<ParameterUpdate> update_;
  std::unique_ptr<ReproducibleSum> reproducible_;  // Or null.
  Range slice_;                                    // Of the objective of a reproducible step.
  StepSums step_sums_;
};

/// Whether all ranks have processors with native bfloat16. Collective.
bool all_have_native_bfloat16(Communicator& comm);

}  // namespace sae
