#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "averaging_strategies.hpp"
#include "overlapped_sum.hpp"
#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/node_memory.hpp"
#include "sae/core/error.hpp"
#include "sae/data/partition.hpp"
#include "sae/model/gradient_parts.hpp"

namespace sae {
namespace {

/// How far a rank is with the parts of gradients, counted since the start of the run. In memory
/// that the node shares.
struct Turns {
  alignas(64) std::atomic<std::int64_t> written{0};
  alignas(64) std::atomic<std::int64_t> used{0};
};

/// The ranks of a node share one copy of parameters and optimizer state, and see each other's
/// gradients, a few parts at a time: what stays in the caches costs no memory bandwidth. Of every
/// part each of them owns a piece: it sums the piece over the gradients of its node, then over
/// the owners of the same piece on other nodes, and updates it.
class NodeAveraging final : public GradientAveraging {
 public:
  NodeAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                MpiCommunicator& comm, Heartbeat* heartbeat, std::unique_ptr<MpiCommunicator> node,
                int owners)
      : GradientAveraging(layout, settings, comm, heartbeat),
        node_(std::move(node)),
        same_place_(comm.split(node_->rank())),
        owners_(owners),
        slot_bytes_(gradient_bytes(largest_part(layout))),
        shared_(comm, node_->rank() == 0 ? shared_bytes() : 0),
        gradients_(comm, sizeof(Turns) + kSlots * slot_bytes_) {
    place_shared(shared_.part(0));
    new (gradients_.part(node_->rank())) Turns;
    comm_.barrier();
    for (int r = 0; r < node_->size(); ++r) {
      std::byte* const memory = gradients_.part(r);
      turns_.push_back(std::launder(reinterpret_cast<Turns*>(memory)));
      slots_.push_back(memory + sizeof(Turns));
    }
    std::array<double, 1> nodes = {node_->rank() == 0 ? 1.0 : 0.0};
    comm_.allreduce_sum(nodes);
    if (nodes[0] > 1) sum_.emplace(*same_place_, travels_rounded(), owners_, seconds_);
  }

  /// Bytes of shared memory for the gradients of one rank, at most.
  static std::size_t bytes_for_gradients(const ParameterLayout& layout) {
    return sizeof(Turns) + kSlots * static_cast<std::size_t>(largest_part(layout)) * sizeof(float);
  }

  void share_from_root() override {
    if (node_->rank() == 0) {
      same_place_->broadcast(std::as_writable_bytes(vectors_.parameters), 0);
      if (!vectors_.velocity.empty()) {
        same_place_->broadcast(std::as_writable_bytes(vectors_.velocity), 0);
      }
      round_parameters();
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    comm_.barrier();
  }

  void reset_velocity() override {
    // Nobody updates before all have come to begin().
    if (node_->rank() == 0) std::fill(vectors_.velocity.begin(), vectors_.velocity.end(), 0.0f);
  }

  GradientRef<float> memory(Range part) override {
    // The slot is free once all ranks have used what was in it; this one may be the last.
    while (least(&Turns::used) <= written_ - kSlots) use_parts(written_);
    return gradient_of(node_->rank(), written_, part);
  }

  void ready(Range part) override {
    beat(heartbeat_);
    parts_[static_cast<std::size_t>(written_ % kSlots)] = part;
    ++written_;
    own_turns().written.store(written_, std::memory_order_release);
    // One late: by then the others have it too.
    use_parts(written_ - 1, Wait::kNo);
    if (sum_) sum_->poll([this](Range of, auto gradient) { update_by(of, gradient); });
  }

  void close() override {
    gradients_.close();
    shared_.close();
    same_place_->close();
    node_->close();
  }

  std::string description() const override {
    return fmt::format("node, {} gradients{}", travels_rounded() ? "bfloat16" : "float32",
                       sum_ ? ", summed over nodes while others are computed" : "");
  }

 private:
  static constexpr std::int64_t kSlots = 2;
  enum class Wait { kNo, kYes };

  bool finish_parts() override {
    while (used_ < written_) use_parts(written_);
    if (sum_) sum_->finish([this](Range of, auto gradient) { update_by(of, gradient); });
    std::atomic_thread_fence(std::memory_order_seq_cst);
    // Nobody reads parameters before all are updated.
    return all_finite(std::exchange(finite_, true));
  }

  /// Uses the parts before `end` that all ranks of the node have written; waits for the first of
  /// them if it is to.
  void use_parts(std::int64_t end, Wait wait = Wait::kYes) {
    if (wait == Wait::kYes) wait_for_others();
    for (; used_ < end && least(&Turns::written) > used_; ++used_) {
      use_part(parts_[static_cast<std::size_t>(used_ % kSlots)]);
      own_turns().used.store(used_ + 1, std::memory_order_release);
    }
  }

  void wait_for_others() {
    constexpr int kLooks = 100;
    const PhaseScope phase(heartbeat_, Phase::kReduction);
    const SecondsScope timer(seconds_.reduction);
    for (int look = 0; look < kLooks; ++look) {
      if (can_go_on()) return;
    }
    std::this_thread::yield();
  }

  /// Whether there is a part to use, or none that is not used by all.
  bool can_go_on() const {
    return used_ < written_ ? least(&Turns::written) > used_
                            : least(&Turns::used) > written_ - kSlots;
  }

  std::int64_t least(std::atomic<std::int64_t> Turns::*turn) const {
    std::int64_t least = written_;
    for (const Turns* turns : turns_) {
      least = std::min(least, (turns->*turn).load(std::memory_order_acquire));
    }
    return least;
  }

  void use_part(Range part) {
    if (node_->rank() >= owners_) return;
    const Range piece = piece_of(part);
    const auto begin = static_cast<std::size_t>(piece.begin - part.begin);
    const auto size = static_cast<std::size_t>(piece.size());
    std::vector<GradientRef<float>> gradients;
    gradients.reserve(slots_.size());
    for (int r = 0; r < node_->size(); ++r) {
      const auto whole = gradient_of(r, used_, part);
      gradients.push_back(
          {whole.values.empty() ? whole.values : whole.values.subspan(begin, size),
           whole.rounded.empty() ? whole.rounded : whole.rounded.subspan(begin, size)});
    }
    if (sum_) {
      const SecondsScope timer(seconds_.update);
      return sum_->add(piece, gradients);
    }
    if (gradient_is_rounded()) {
      update_by_all<bfloat16>(piece, gradients);
    } else {
      update_by_all<float>(piece, gradients);
    }
  }

  template <typename G>
  void update_by_all(Range piece, const std::vector<GradientRef<float>>& gradients) {
    std::vector<std::span<const G>> of_ranks;
    of_ranks.reserve(gradients.size());
    for (const auto& gradient : gradients) of_ranks.push_back(elements_of<G>(gradient));
    finite_ &= update_part<G>(piece, of_ranks);
  }

  template <typename G>
  void update_by(Range piece, std::span<const G> gradient) {
    finite_ &= update_part<G>(piece, {gradient});
  }

  /// Whole cache lines, of either type of element.
  Range piece_of(Range part) const {
    constexpr Index kGrain = 2 * ParameterLayout::kAlignment;
    const Range grains =
        part_of_range({0, (part.size() + kGrain - 1) / kGrain}, node_->rank(), owners_);
    return {std::min(part.begin + grains.begin * kGrain, part.end),
            std::min(part.begin + grains.end * kGrain, part.end)};
  }

  /// What a rank of the node has written, or writes, as its part number `turn`.
  GradientRef<float> gradient_of(int node_rank, std::int64_t turn, Range part) const {
    const auto slot = static_cast<std::size_t>(turn % kSlots);
    return gradient_at(slots_[static_cast<std::size_t>(node_rank)] + slot * slot_bytes_,
                       part.size());
  }

  Turns& own_turns() { return *turns_[static_cast<std::size_t>(node_->rank())]; }
  bool travels_rounded() const { return settings_.gradient == Precision::kBfloat16; }

  std::unique_ptr<MpiCommunicator> node_;        // The ranks of this node,
  std::unique_ptr<MpiCommunicator> same_place_;  // and those of the same place on all nodes.
  int owners_;  // Ranks of each node that own a piece: as many as the smallest node has.
  std::size_t slot_bytes_;
  NodeMemory shared_;
  NodeMemory gradients_;
  std::vector<Turns*> turns_;      // By rank of the node.
  std::vector<std::byte*> slots_;  // Likewise: kSlots of slot_bytes_ each.
  std::array<Range, kSlots> parts_;
  std::int64_t written_ = 0;  // Parts of this rank; their number is the same on all.
  std::int64_t used_ = 0;
  std::optional<OverlappedSum> sum_;  // Where there are several nodes.
  bool finite_ = true;
};

}  // namespace

std::unique_ptr<GradientAveraging> make_node_averaging(const ParameterLayout& layout,
                                                       const AveragingSettings& settings,
                                                       Communicator& comm, Heartbeat* heartbeat) {
  const bool by_name = settings.strategy == Averaging::kNode;
  auto* mpi = dynamic_cast<MpiCommunicator*>(&comm);
  if (mpi == nullptr) return nullptr;  // One rank: there is nothing to share.
  auto node = mpi->split_by_node();
  // Ranks of the smallest and of the largest node, and whether one lacks memory, known to all.
  int smallest = node->size();
  int largest = node->size();
  bool lacking = false;
  const std::size_t needed =
      static_cast<std::size_t>(layout.size()) * (2 * sizeof(float) + sizeof(bfloat16)) +
      NodeAveraging::bytes_for_gradients(layout) * static_cast<std::size_t>(node->size());
  const std::string own = fmt::format("{} {}", node->size(), NodeMemory::available() < needed);
  for (const std::string& text : comm.allgather(own)) {
    smallest = std::min(smallest, std::stoi(text));
    largest = std::max(largest, std::stoi(text));
    lacking |= text.ends_with("true");
  }
  if (lacking && by_name) {
    throw CommunicationError(fmt::format(
        "--averaging node needs {} MB of shared memory on each node, which one of them lacks; see "
        "the size of /dev/shm, or use --averaging flat.",
        needed >> 20));
  }
  if (lacking || (largest == 1 && !by_name)) {
    node->close();
    return nullptr;
  }
  return std::make_unique<NodeAveraging>(layout, settings, *mpi, heartbeat, std::move(node),
                                         smallest);
}

}  // namespace sae
