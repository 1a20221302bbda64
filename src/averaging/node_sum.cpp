#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "gradient_sum.hpp"
#include "overlapped_sum.hpp"
#include "sae/comm/communicator.hpp"
#include "sae/comm/node_memory.hpp"
#include "sae/core/error.hpp"
#include "sae/data/partition.hpp"
#include "sae/model/gradient_parts.hpp"
#include "seconds_scope.hpp"

namespace sae {
namespace {

/// How many parts of gradients a rank has written, and used, since the start of the run. In memory
/// that the node shares.
struct PartCounters {
  alignas(64) std::atomic<std::int64_t> written{0};
  alignas(64) std::atomic<std::int64_t> used{0};
};

/// The ranks of a node share one copy of parameters and optimizer state, and see each other's
/// gradients, a few parts at a time: what stays in the caches costs no memory bandwidth. Of every
/// part each of them owns a chunk: it sums the chunk over the gradients of its node, then over
/// the owners of the same chunk on other nodes, and receives the sum.
class NodeSum final : public GradientSum {
 public:
  NodeSum(const GradientSumSettings& settings, std::unique_ptr<Communicator> node, int owners)
      : comm_(settings.comm),
        format_(settings.format),
        heartbeat_(settings.heartbeat),
        seconds_(settings.seconds),
        node_(std::move(node)),
        same_owner_(comm_.split(node_->rank())),
        owners_(owners),
        slot_bytes_(format_.bytes(largest_part(settings.layout))),
        gradients_(comm_.share_memory(sizeof(PartCounters) + kSlots * slot_bytes_)) {
    new (gradients_->segment(node_->rank())) PartCounters;
    comm_.barrier();
    for (int r = 0; r < node_->size(); ++r) {
      std::byte* const memory = gradients_->segment(r);
      counters_.push_back(std::launder(reinterpret_cast<PartCounters*>(memory)));
      slots_.push_back(memory + sizeof(PartCounters));
    }
    std::array<double, 1> nodes = {node_->rank() == 0 ? 1.0 : 0.0};
    comm_.allreduce_sum(nodes);
    if (nodes[0] > 1) sum_.emplace(*same_owner_, is_sent_rounded(), owners_, seconds_);
  }

  /// Bytes of shared memory for the gradients of one rank, at most.
  static std::size_t bytes_for_gradients(const ParameterLayout& layout) {
    return sizeof(PartCounters) +
           kSlots * static_cast<std::size_t>(largest_part(layout)) * sizeof(float);
  }

  std::byte* allocate_state(std::size_t bytes) override {
    state_ = comm_.share_memory(node_->rank() == 0 ? bytes : 0);
    return state_->segment(0);
  }
  /// Nobody updates before all have come to the sums of the first step.
  bool initializes_state() const override { return node_->rank() == 0; }
  void broadcast_state(const std::vector<std::span<std::byte>>& parts) override {
    if (node_->rank() == 0) {
      for (const auto part : parts) same_owner_->broadcast(part, 0);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    comm_.barrier();
  }

  GradientRef<float> memory(Range part, SumReceiver& receiver) override {
    // The slot is free once all ranks have used what was in it; this one may be the last.
    while (least(&PartCounters::used) <= written_ - kSlots) use_parts(written_, receiver);
    return gradient_of(node_->rank(), written_, part);
  }

  void ready(Range part, SumReceiver& receiver) override {
    parts_[static_cast<std::size_t>(written_ % kSlots)] = part;
    ++written_;
    own_counters().written.store(written_, std::memory_order_release);
    // One late: by then the others have it too.
    use_parts(written_ - 1, receiver, Wait::kNo);
    if (sum_) sum_->poll([&](Range of, auto sum) { receiver.receive(of, {sum}); });
  }

  void finish(SumReceiver& receiver) override {
    while (used_ < written_) use_parts(written_, receiver);
    if (sum_) sum_->finish([&](Range of, auto sum) { receiver.receive(of, {sum}); });
  }

  void add_shares(std::span<double> values) override {
    // One after the other, so that all nodes get the same bits. Their owners hold the same chunks.
    const auto shares = node_->allgather_values(std::span<const double>(values));
    std::fill(values.begin(), values.end(), 0.0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(owners_) * values.size(); ++i) {
      values[i % values.size()] += shares[i];
    }
  }

  bool end_step(bool finite) override {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const SecondsScope timer(seconds_.reduction);
    return !comm_.any(!finite);
  }

  void close() override {
    gradients_->close();
    if (state_) state_->close();
    same_owner_->close();
    node_->close();
  }

  UpdateShare update_share() const override {
    if (sum_) return {.owners = owners_, .in_parts = true, .element = format_.sent};
    return {.owners = owners_,
            .gradients = node_->size(),
            .in_parts = true,
            .element = format_.written};
  }
  std::string description() const override {
    return fmt::format("node, {} gradients{}", is_sent_rounded() ? "bfloat16" : "float32",
                       sum_ ? ", summed over nodes while others are computed" : "");
  }

 private:
  static constexpr std::int64_t kSlots = 2;
  enum class Wait { kNo, kYes };

  /// Uses the parts before `end` that all ranks of the node have written; waits for the first of
  /// them if it is to.
  void use_parts(std::int64_t end, SumReceiver& receiver, Wait wait = Wait::kYes) {
    if (wait == Wait::kYes) wait_for_others();
    for (; used_ < end && least(&PartCounters::written) > used_; ++used_) {
      use_part(parts_[static_cast<std::size_t>(used_ % kSlots)], receiver);
      own_counters().used.store(used_ + 1, std::memory_order_release);
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
    return used_ < written_ ? least(&PartCounters::written) > used_
                            : least(&PartCounters::used) > written_ - kSlots;
  }

  std::int64_t least(std::atomic<std::int64_t> PartCounters::*counter) const {
    std::int64_t least = written_;
    for (const PartCounters* counters : counters_) {
      least = std::min(least, (counters->*counter).load(std::memory_order_acquire));
    }
    return least;
  }

  void use_part(Range part, SumReceiver& receiver) {
    if (node_->rank() >= owners_) return;
    const Range chunk = chunk_of(part);
    const Range in_part{chunk.begin - part.begin, chunk.end - part.begin};
    std::vector<GradientRef<float>> gradients;
    gradients.reserve(slots_.size());
    for (int r = 0; r < node_->size(); ++r) {
      gradients.push_back(within(gradient_of(r, used_, part), in_part));
    }
    if (sum_) {
      const SecondsScope timer(seconds_.update);
      return sum_->add(chunk, gradients);
    }
    receiver.receive_all(chunk, gradients);
  }

  /// Whole cache lines, of either type of element.
  Range chunk_of(Range part) const {
    constexpr Index kGrain = 2 * ParameterLayout::kAlignment;
    const Range grains =
        part_of_range({0, (part.size() + kGrain - 1) / kGrain}, node_->rank(), owners_);
    return {std::min(part.begin + grains.begin * kGrain, part.end),
            std::min(part.begin + grains.end * kGrain, part.end)};
  }

  /// What a rank of the node has written, or writes, as part number `number`.
  GradientRef<float> gradient_of(int node_rank, std::int64_t number, Range part) const {
    const auto slot = static_cast<std::size_t>(number % kSlots);
    return format_.at(slots_[static_cast<std::size_t>(node_rank)] + slot * slot_bytes_,
                      part.size());
  }

  PartCounters& own_counters() { return *counters_[static_cast<std::size_t>(node_->rank())]; }
  bool is_sent_rounded() const { return format_.sent == Precision::kBfloat16; }

  Communicator& comm_;
  GradientFormat format_;
  Heartbeat* heartbeat_;
  UpdateSeconds& seconds_;
  std::unique_ptr<Communicator> node_;        // The ranks of this node,
  std::unique_ptr<Communicator> same_owner_;  // and those of the same rank on all nodes.
  int owners_;  // Ranks of each node that own a chunk: as many as the smallest node has.
  std::size_t slot_bytes_;
  std::unique_ptr<NodeMemory> state_;
  std::unique_ptr<NodeMemory> gradients_;
  std::vector<PartCounters*> counters_;  // By rank of the node.
  std::vector<std::byte*> slots_;        // Likewise: kSlots of slot_bytes_ each.
  std::array<Range, kSlots> parts_;
  std::int64_t written_ = 0;  // Parts of this rank; their number is the same on all.
  std::int64_t used_ = 0;
  std::optional<OverlappedSum> sum_;  // Where there are several nodes.
};

/// What each rank knows of its node.
struct NodeFacts {
  int size = 0;
  bool lacks_memory = false;
};

}  // namespace

std::unique_ptr<GradientSum> make_node_sum(const GradientSumSettings& settings,
                                           std::size_t state_bytes, bool by_name) {
  if (settings.comm.size() == 1) return nullptr;  // There is nobody to share with.
  auto node = settings.comm.split_by_node();
  const std::size_t needed = state_bytes + NodeSum::bytes_for_gradients(settings.layout) *
                                               static_cast<std::size_t>(node->size());
  const NodeFacts own{node->size(), NodeMemory::available() < needed};
  const std::vector<NodeFacts> nodes = settings.comm.allgather_values(std::span(&own, 1));
  const bool lacking = std::ranges::any_of(nodes, &NodeFacts::lacks_memory);
  const auto [smallest, largest] = std::ranges::minmax(nodes, {}, &NodeFacts::size);
  if (lacking && by_name) {
    throw CommunicationError(fmt::format(
        "--averaging node needs {} MB of shared memory on each node, which one of them lacks; see "
        "the size of /dev/shm, or use --averaging flat.",
        needed >> 20));
  }
  if (lacking || (largest.size == 1 && !by_name)) {
    node->close();
    return nullptr;
  }
  return std::make_unique<NodeSum>(settings, std::move(node), smallest.size);
}

}  // namespace sae
