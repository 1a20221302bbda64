#pragma once

#include <memory>
#include <span>
#include <string>

#include "sae/comm/communicator.hpp"
#include "sae/model/objective.hpp"
#include "sae/optim/sgd.hpp"

namespace sae {

/// Type of the operands of products, or of the elements of a gradient.
enum class Precision { kFloat32, kBfloat16 };

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
/// minibatch: ranks can hold unequal parts of it. Between updates all ranks see the same bits.
class GradientAveraging {
 public:
  /// Parameters and velocity are 0. The layout and the communicator must outlive it.
  /// Collective. Throws: CommunicationError if kNode is asked for and a node lacks shared memory.
  static std::unique_ptr<GradientAveraging> make(const ParameterLayout& layout,
                                                 const AveragingSettings& settings,
                                                 Communicator& comm);
  virtual ~GradientAveraging() = default;
  GradientAveraging(const GradientAveraging&) = delete;
  GradientAveraging& operator=(const GradientAveraging&) = delete;

  std::span<float> parameters() { return vectors_.parameters; }
  std::span<float> velocity() { return vectors_.velocity; }  ///< Empty without momentum.
  /// What an objective reads and writes.
  ParametersRef<float> parameters_ref() const { return {vectors_.parameters, vectors_.rounded}; }
  GradientRef<float> gradient_ref() { return {gradient_, rounded_gradient_}; }

  /// Makes what rank 0 wrote to parameters() and velocity() that of all ranks. Collective.
  virtual void share_from_root() = 0;

  /// Sets the velocity to 0. To be called by all ranks between two updates.
  virtual void reset_velocity() = 0;

  /// Adds up the sums of a step over ranks and, if `sums` then holds a finite loss, the gradients
  /// within the slice, and updates the parameters. `step` says how, weight_decay for weights alone.
  /// Returns whether loss and gradient are finite, the same on all ranks. Collective.
  virtual bool sum_and_update(Range slice, StepSums& sums, const SgdStep& step) = 0;

  /// As sum_and_update, where each rank's gradient already is the sum over all.
  bool update_by_sum(Range slice, const SgdStep& step);

  /// Such as "node, bfloat16 gradients".
  virtual std::string description() const = 0;
  const UpdateSeconds& seconds() const { return seconds_; }

 protected:
  GradientAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                    Communicator& comm)
      : layout_(layout), settings_(settings), comm_(comm) {}

  void sum_step(StepSums& sums);
  /// Updates the elements of `part`; gradients[r] begins where the vectors do. Local.
  template <typename G>
  bool update_part(Range part, const std::vector<std::span<const G>>& gradients,
                   const SgdStep& step);
  /// Whether products write the gradient in bfloat16.
  bool gradient_is_rounded() const;
  /// Bytes of the vectors that a rank has for itself, and of those that can be shared.
  std::size_t gradient_bytes() const;
  std::size_t shared_bytes() const;
  void place_gradient(std::byte* memory);
  void place_shared(std::byte* memory);
  void round_parameters();

  const ParameterLayout& layout_;
  AveragingSettings settings_;
  Communicator& comm_;
  SgdVectors vectors_;
  std::span<float> gradient_;  // One of the two is empty.
  std::span<bfloat16> rounded_gradient_;
  UpdateSeconds seconds_;
};

/// Whether all ranks have processors with native bfloat16. Collective.
bool all_have_native_bfloat16(Communicator& comm);

}  // namespace sae
