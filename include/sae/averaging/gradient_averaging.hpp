#pragma once

#include <memory>
#include <span>
#include <string>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/model/objective.hpp"
#include "sae/optim/sgd.hpp"

namespace sae {

/// Type of the operands of products, or of the elements of a gradient.
enum class Precision { kFloat32, kBfloat16 };

/// "float32" or "bfloat16".
const char* name_of(Precision precision);

enum class Averaging {
  kAuto,  ///< By node where a node has several ranks and enough shared memory, else flat.
  kFlat,  ///< Each rank holds and updates everything; one sum over all ranks.
  kNode   ///< The ranks of a node share one copy; each updates its part of it.
};

struct AveragingSettings {
  Averaging strategy = Averaging::kAuto;
  Precision products = Precision::kFloat32;
  Precision gradient = Precision::kFloat32;  ///< As it travels between ranks.
  bool momentum = false;
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

/// Holds the flat vectors of a run and turns the gradients of all ranks into one update: the one
/// place where model and ranks meet. The sum is divided once, by the samples of the whole
/// minibatch: ranks can hold unequal parts of it. A step is
///
///   averaging.start_step(step, stop_vote);
///   objective.evaluate(averaging.parameters_ref(), minibatch, epoch, averaging);
///   const bool finite = averaging.finish_step(sums);
///
/// All ranks do that together. What is summed and updated while the objective still computes is
/// up to the strategy; after finish_step all ranks see the same bits.
class GradientAveraging : public GradientSink<float> {
 public:
  /// Parameters and velocity are 0. The layout, the communicator and the heartbeat, which may be
  /// null, must outlive it.
  /// Collective. Throws: CommunicationError if kNode is asked for and a node lacks shared memory.
  static std::unique_ptr<GradientAveraging> make(const ParameterLayout& layout,
                                                 const AveragingSettings& settings,
                                                 Communicator& comm,
                                                 Heartbeat* heartbeat = nullptr);
  GradientAveraging(const GradientAveraging&) = delete;
  GradientAveraging& operator=(const GradientAveraging&) = delete;

  std::span<float> parameters() { return vectors_.parameters; }
  std::span<float> velocity() { return vectors_.velocity; }  ///< Empty without momentum.
  /// What an objective reads.
  ParametersRef<float> parameters_ref() const { return {vectors_.parameters, vectors_.rounded}; }
  /// Whether objectives give their gradient in bfloat16.
  bool gradient_is_rounded() const;

  /// Makes what rank 0 wrote to parameters() and velocity() that of all ranks. Collective.
  virtual void share_from_root() = 0;

  /// Sets the velocity to 0. To be called by all ranks between two steps.
  virtual void reset_velocity() = 0;

  /// `step` says how the parameters are updated, weight_decay for weights alone. Local.
  void start_step(const SgdStep& step, double stop_vote);

  /// Adds up the sums of the step over ranks. False if the loss is not finite. Collective.
  bool begin(const ObjectiveSums& sums) final;

  /// Returns whether loss and gradient are finite, the same on all ranks; `sums` gets the sums over
  /// ranks. Collective.
  bool finish_step(StepSums& sums);

  /// Ends a step whose gradient, within the slice of a flat vector, already is the sum over all.
  /// Returns whether it is finite. Local.
  bool update_by_sum(Range slice, std::span<const float> gradient);

  /// Gives back what ranks share; nothing may be called any more. Without it that is kept until MPI
  /// ends. Collective.
  virtual void close() {}

  /// Such as "node, bfloat16 gradients".
  virtual std::string description() const = 0;
  const UpdateSeconds& seconds() const { return seconds_; }

 protected:
  GradientAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                    Communicator& comm, Heartbeat* heartbeat)
      : layout_(layout), settings_(settings), comm_(comm), heartbeat_(heartbeat) {}

  /// Sums and updates what is left of the step. Returns whether all ranks found finite gradients.
  /// Collective.
  virtual bool finish_parts() = 0;

  /// Whether `finite` holds on all ranks. Collective.
  bool all_finite(bool finite);
  /// Updates the elements of `part` by the sum of its gradients, each of its size. Local.
  template <typename G>
  bool update_part(Range part, const std::vector<std::span<const G>>& gradients);
  /// Elements of memory() for a part, and the bytes of so many elements.
  GradientRef<float> gradient_at(std::byte* memory, Index size) const;
  std::size_t gradient_bytes(Index size) const;
  /// Bytes of the vectors that can be shared.
  std::size_t shared_bytes() const;
  void place_shared(std::byte* memory);
  void round_parameters();

  const ParameterLayout& layout_;
  AveragingSettings settings_;
  Communicator& comm_;
  Heartbeat* heartbeat_;
  SgdVectors vectors_;
  SgdStep step_;
  UpdateSeconds seconds_;

 private:
  StepSums sums_;
};

/// Whether all ranks have processors with native bfloat16. Collective.
bool all_have_native_bfloat16(Communicator& comm);

}  // namespace sae
