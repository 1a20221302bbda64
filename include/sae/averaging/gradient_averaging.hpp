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
  kAuto,  ///< kNode if a node has several ranks and enough shared memory, else kFlat.
  kFlat,  ///< Each rank holds and updates all parameters; one all-reduce over all ranks.
  kNode,  ///< The ranks of a node share one copy; each updates its owned ranges.
  kLocal  ///< Groups of ranks update by themselves; their models are averaged now and then.
};

/// What kLocal does: see GroupAverage.
struct LocalSettings {
  Index groups = 0;  ///< 0: all ranks compute each update together.
  Index steps = 32;  ///< Updates between two averages.
  double outer_learning_rate = 1;
  double outer_momentum = 0;
};

struct AveragingSettings {
  Averaging strategy = Averaging::kAuto;
  Precision products = Precision::kFloat32;
  Precision gradient = Precision::kFloat32;  ///< As it travels between ranks.
  OptimizerSettings optimizer = {};
  /// Decay D of an average of the parameters, average += (1 - D) (w - average), in [0, 1), less at
  /// first; 0: there is none.
  double weight_average = 0;
  LocalSettings local = {};  ///< Of kLocal.
  /// Bits that do not depend on the number of ranks; see ReproducibleSum. Needs kFlat.
  bool reproducible = false;

  /// The type that objectives write: with bfloat16 products they round the gradient themselves.
  Precision written_gradient() const {
    return products == Precision::kBfloat16 ? gradient : Precision::kFloat32;
  }
};

inline constexpr const char* kAverageSlot = "average";
inline constexpr const char* kOuterVelocitySlot = "outer_velocity";

/// A flat vector that an optimizer keeps, such as "velocity".
struct OptimizerSlot {
  std::string name;
  std::span<float> values;
};

/// What a step sums over ranks besides the gradient.
struct StepSums {
  ObjectiveSums objective;
  double stop_votes = 0;  ///< Ranks that were asked to stop.
};

/// The sums of several steps.
struct SumsOfSteps {
  StepSums sums;
  double not_finite = 0;  ///< Steps whose loss or gradient was not finite.

  void add(const StepSums& step, bool finite);
};

/// Time of reductions and updates on this rank, in seconds.
struct UpdateSeconds {
  double reduction = 0;  ///< Waits for other ranks and sums over them.
  double update = 0;     ///< Parameter updates, including the sum of gradients in shared memory.
};

/// How one rank updates parameters.
struct UpdateShare {
  int owners = 1;           ///< Ranks of a node that divide the parameters among them.
  int gradients = 1;        ///< Gradients that this rank sums during the update.
  bool in_buckets = false;  ///< Whether gradients arrive in buckets that stay in the caches.
  Precision element = Precision::kFloat32;  ///< Of these gradients.
};

class GradientSum;
class GroupAverage;
class ParameterUpdate;
class ReproducibleSum;

/// Holds the flat vectors of a run and turns the gradients of all ranks into one update. The only
/// layer where model and ranks meet. Divides once, by the global batch size, because local batches
/// can differ in size. A step is
///
///   averaging.start_step(step, stop_vote);
///   averaging.evaluate(objective, minibatch, epoch, averaging);
///   const bool finite = averaging.finish_step(sums);
///
/// Every rank makes these calls. Strategy and optimizer decide which buckets are reduced and
/// updated while the objective still computes. After finish_step all ranks see the same bits.
///
/// With kLocal that holds for the ranks of a group: "all ranks" below are those of the group, which
/// meets the others in meet().
class GradientAveraging final : public GradientSink<float> {
 public:
  /// Sets parameters and slots to 0. Layout, communicator and heartbeat (may be null) must outlive
  /// it.
  /// Collective. Throws: CommunicationError if kNode is requested and a node lacks shared memory.
  GradientAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                    Communicator& comm, Heartbeat* heartbeat = nullptr);
  /// As above, with this optimizer instead of the one in the settings.
  GradientAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                    std::unique_ptr<const Optimizer> optimizer, Communicator& comm,
                    Heartbeat* heartbeat = nullptr);
  ~GradientAveraging() override;
  GradientAveraging(const GradientAveraging&) = delete;
  GradientAveraging& operator=(const GradientAveraging&) = delete;

  std::span<float> parameters() { return vectors_.parameters; }
  const std::vector<OptimizerSlot>& slots() { return slots_; }
  ParametersRef<float> parameters_ref() const { return {vectors_.parameters, vectors_.rounded}; }

  /// The average of the parameters over the updates of a stage; empty if there is none. Of its slot
  /// in checkpoints kAverageSlot is the name.
  std::span<float> average() { return average_; }

  /// Sets an array, which no gradient changes, of parameters() or average(). Collective: all ranks
  /// give the same.
  void set_array(std::span<float> vector, const ParameterView& view, const Vector<float>& values);

  /// Broadcasts parameters() and slots() from rank 0 to all ranks of all groups. Collective.
  void broadcast_from_root();

  /// Sets the slots to 0. Requires: all ranks call it, between two steps.
  void reset_slots();

  /// Begins a step with these optimizer settings; weight_decay applies to weights only. Local.
  void start_step(const OptimizerStep& step, double stop_vote);

  /// Computes the gradient of the local batch. The objective writes it to `gradient`, which is this
  /// object or a sink that forwards to it; a reproducible run writes nothing to it.
  /// Collective.
  void evaluate(Objective<float>& objective, const Minibatch<float>& minibatch, std::uint32_t epoch,
                GradientSink<float>& gradient);

  /// All-reduces the sums of the step. Returns whether the loss is finite; true where sums travel
  /// between hosts: there finish_step() waits for it, and before the first update. Collective.
  bool reduce_sums(const ObjectiveSums& sums) override;
  /// All-reduces them. Collective.
  void sum_over_minibatch(std::span<double> sums) override;
  GradientRef<float> memory(Range bucket) override;
  void ready(Range bucket) override;

  /// Finishes all reductions and updates. Returns whether loss and gradient are finite, the same on
  /// all ranks; writes the sums over ranks to `sums`. Collective.
  bool finish_step(StepSums& sums);

  /// Groups of ranks that compute updates of their own; 1 unless kLocal.
  Index groups() const;
  /// Of a minibatch of all ranks, the samples from which this rank's group computes an update.
  Index samples_of_group(Index samples) const;
  /// To be called before the first step of an epoch, and of a session, when all groups have the
  /// same model. Local.
  void part(Range trained);
  /// To be called after each step. Averages the models of the groups if that is due after so many
  /// updates of the epoch. Returns whether all groups have the same model and slots now, as at the
  /// end of an epoch; then `sums`, of the steps since they last had, are summed over the groups.
  /// Collective over all groups.
  bool meet(Index updates, bool epoch_ends, SumsOfSteps& sums);

  /// Frees shared memory and communicators, which MPI otherwise keeps until it is finalized. No
  /// member may be called afterwards. Collective.
  void close();

  UpdateShare update_share() const;
  /// Such as "node, bfloat16 gradients".
  std::string description() const;
  const UpdateSeconds& seconds() const { return seconds_; }

 private:
  class WantedUpdate;

  void take_sums(const Vector<double>& values);
  /// Waits for the sums of the step. Returns whether the loss is finite.
  bool has_finite_loss();
  void broadcast_in_group(std::vector<std::span<std::byte>> arrays);

  std::unique_ptr<GroupAverage> groups_;  // Null unless kLocal.
  Communicator& comm_;                    // Of the group.
  Heartbeat* heartbeat_;
  std::unique_ptr<const Optimizer> optimizer_;
  UpdateSeconds seconds_;
  std::unique_ptr<GradientSum> sum_;
  UpdatedVectors vectors_;  // In the memory of sum_.
  std::span<float> average_;
  std::span<float> outer_velocity_;
  std::vector<OptimizerSlot> slots_;
  std::unique_ptr<ParameterUpdate> update_;
  std::unique_ptr<WantedUpdate> wanted_update_;
  std::unique_ptr<PendingSum<double>> pending_sums_;  // Of this step, while they travel.
  std::unique_ptr<ReproducibleSum> reproducible_;     // Null unless the run is reproducible.
  Range trainable_range_;                             // Set by a reproducible step only.
  StepSums step_sums_;
};

/// Hosts of these ranks. Collective.
Index count_hosts(Communicator& comm);

/// Whether all ranks have processors with native bfloat16. Collective.
bool all_have_native_bfloat16(Communicator& comm);

}  // namespace sae
