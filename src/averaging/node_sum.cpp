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
#include "sae/core/partition.hpp"
#include "sae/model/gradient_buckets.hpp"
#include "seconds_scope.hpp"

namespace sae {
namespace {

/// How many buckets a rank has written and consumed since the start of the run. Lives in memory
/// that the node shares.
struct BucketCounters {
  alignas(64) std::atomic<std::int64_t> written{0};
  alignas(64) std::atomic<std::int64_t> consumed{0};
};

/// The ranks of a node share one copy of parameters and optimizer state, and read each other's
/// gradients from slots of shared memory, so few that buckets stay in the caches. Each owner has a
/// range of every bucket. It sums the range over its node, then over its peers, the owners of that
/// range on other nodes, and receives the sum.
class NodeSum final : public GradientSum {
 public:
  NodeSum(const GradientSumSettings& settings, std::unique_ptr<Communicator> node, int owners)
      : comm_(settings.comm),
        format_(settings.format),
        heartbeat_(settings.heartbeat),
        seconds_(settings.seconds),
        node_(std::move(node)),
        peers_(comm_.split(node_->rank())),
        owners_(owners),
        slot_bytes_(format_.bytes(largest_bucket(settings.layout))),
        gradients_(comm_.share_memory(sizeof(BucketCounters) + kSlots * slot_bytes_)) {
    new (gradients_->segment(node_->rank())) BucketCounters;
    comm_.barrier();
    for (int r = 0; r < node_->size(); ++r) {
      std::byte* const memory = gradients_->segment(r);
      counters_.push_back(std::launder(reinterpret_cast<BucketCounters*>(memory)));
      slots_.push_back(memory + sizeof(BucketCounters));
    }
    std::array<double, 1> nodes = {node_->rank() == 0 ? 1.0 : 0.0};
    comm_.allreduce_sum(nodes);
    if (nodes[0] > 1) sum_.emplace(*peers_, sends_bfloat16(), owners_, seconds_);
  }

  /// Most shared memory that the gradients of one rank need, in bytes.
  static std::size_t bytes_for_gradients(const ParameterLayout& layout) {
    return sizeof(BucketCounters) +
           kSlots * static_cast<std::size_t>(largest_bucket(layout)) * sizeof(float);
  }

  std::byte* allocate_state(std::size_t bytes) override {
    state_ = comm_.share_memory(node_->rank() == 0 ? bytes : 0);
    return state_->segment(0);
  }
  /// No rank updates before all ranks have reached the sums of the first step.
  bool initializes_state() const override { return node_->rank() == 0; }
  void broadcast_state(const std::vector<std::span<std::byte>>& arrays) override {
    if (node_->rank() == 0) {
      for (const auto array : arrays) peers_->broadcast(array, 0);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    comm_.barrier();
  }

  bool overlaps() const override { return sum_.has_value(); }
  GradientRef<float> memory(Range bucket, SumReceiver& receiver) override {
    // The slot is free once all ranks have consumed its bucket. This rank may be the last one.
    while (least(&BucketCounters::consumed) <= written_ - kSlots)
      consume_buckets(written_, receiver);
    return gradient_of(node_->rank(), written_, bucket);
  }

  void ready(Range bucket, SumReceiver& receiver) override {
    buckets_[static_cast<std::size_t>(written_ % kSlots)] = bucket;
    ++written_;
    own_counters().written.store(written_, std::memory_order_release);
    // Not the bucket just written: by the next call the other ranks have written it too.
    consume_buckets(written_ - 1, receiver, Wait::kNo);
    if (sum_) sum_->poll([&](Range of, auto sum) { receiver.receive(of, {sum}); });
  }

  void finish(SumReceiver& receiver) override {
    while (consumed_ < written_) consume_buckets(written_, receiver);
    if (sum_) sum_->finish([&](Range of, auto sum) { receiver.receive(of, {sum}); });
  }

  void allreduce_over_owners(std::span<double> values) override {
    // In the order of owners, whose ranges are the same on every node: all nodes get the same bits.
    const auto shares = node_->allgather_values(std::span<const double>(values));
    std::fill(values.begin(), values.end(), 0.0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(owners_) * values.size(); ++i) {
      values[i % values.size()] += shares[i];
    }
  }

  /// Of this node alone: its owners have seen the same sums as those of the others.
  bool end_step(bool finite) override {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const SecondsScope timer(seconds_.reduction);
    return !node_->any(!finite);
  }

  void close() override {
    gradients_->close();
    if (state_) state_->close();
    peers_->close();
    node_->close();
  }

  UpdateShare update_share() const override {
    if (sum_) return {.owners = owners_, .in_buckets = true, .element = format_.sent};
    return {.owners = owners_,
            .gradients = node_->size(),
            .in_buckets = true,
            .element = format_.written};
  }
  std::string description() const override {
    return fmt::format("node, {} gradients{}", sends_bfloat16() ? "bfloat16" : "float32",
                       sum_ ? ", summed over nodes while others are computed" : "");
  }

 private:
  static constexpr std::int64_t kSlots = 2;
  enum class Wait { kNo, kYes };

  /// Consumes the buckets before `end` that all ranks of the node have written. Wait::kYes: waits
  /// for the first of them.
  void consume_buckets(std::int64_t end, SumReceiver& receiver, Wait wait = Wait::kYes) {
    if (wait == Wait::kYes) wait_for_others();
    for (; consumed_ < end && least(&BucketCounters::written) > consumed_; ++consumed_) {
      consume_bucket(buckets_[static_cast<std::size_t>(consumed_ % kSlots)], receiver);
      own_counters().consumed.store(consumed_ + 1, std::memory_order_release);
    }
  }

  void wait_for_others() {
    constexpr int kPolls = 100;
    const PhaseScope phase(heartbeat_, Phase::kReduction);
    const SecondsScope timer(seconds_.reduction);
    for (int i = 0; i < kPolls; ++i) {
      if (can_proceed()) return;
    }
    std::this_thread::yield();
  }

  /// Whether a bucket can be consumed or, if this rank has consumed all, a slot is free.
  bool can_proceed() const {
    return consumed_ < written_ ? least(&BucketCounters::written) > consumed_
                                : least(&BucketCounters::consumed) > written_ - kSlots;
  }

  std::int64_t least(std::atomic<std::int64_t> BucketCounters::*counter) const {
    std::int64_t least = written_;
    for (const BucketCounters* counters : counters_) {
      least = std::min(least, (counters->*counter).load(std::memory_order_acquire));
    }
    return least;
  }

  void consume_bucket(Range bucket, SumReceiver& receiver) {
    if (node_->rank() >= owners_) return;
    const Range owned = owned_range(bucket);
    const Range in_bucket{owned.begin - bucket.begin, owned.end - bucket.begin};
    std::vector<GradientRef<float>> gradients;
    gradients.reserve(slots_.size());
    for (int r = 0; r < node_->size(); ++r) {
      gradients.push_back(within(gradient_of(r, consumed_, bucket), in_bucket));
    }
    if (sum_) {
      const SecondsScope timer(seconds_.update);
      return sum_->add(owned, gradients);
    }
    receiver.receive_all(owned, gradients);
  }

  /// The range of a bucket that this rank owns: whole cache lines of either element type.
  Range owned_range(Range bucket) const {
    return part_in_blocks(bucket, 2 * ParameterLayout::kAlignment, node_->rank(), owners_);
  }

  /// The slot of a rank of the node for bucket `number`, counted since the start of the run.
  GradientRef<float> gradient_of(int node_rank, std::int64_t number, Range bucket) const {
    const auto slot = static_cast<std::size_t>(number % kSlots);
    return format_.at(slots_[static_cast<std::size_t>(node_rank)] + slot * slot_bytes_,
                      bucket.size());
  }

  BucketCounters& own_counters() { return *counters_[static_cast<std::size_t>(node_->rank())]; }
  bool sends_bfloat16() const { return format_.sent == Precision::kBfloat16; }

  Communicator& comm_;
  GradientFormat format_;
  Heartbeat* heartbeat_;
  UpdateSeconds& seconds_;
  std::unique_ptr<Communicator> node_;   // The ranks of this node.
  std::unique_ptr<Communicator> peers_;  // The same rank of every node.
  int owners_;                           // Per node: as many as the smallest node has ranks.
  std::size_t slot_bytes_;
  std::unique_ptr<NodeMemory> state_;
  std::unique_ptr<NodeMemory> gradients_;
  std::vector<BucketCounters*> counters_;  // By rank of the node.
  std::vector<std::byte*> slots_;          // By rank of the node: kSlots of slot_bytes_ each.
  std::array<Range, kSlots> buckets_;
  std::int64_t written_ = 0;  // Buckets of this rank.
  std::int64_t consumed_ = 0;
  std::optional<OverlappedSum> sum_;  // Set if there are several nodes.
};

/// What each rank reports of its node.
struct NodeFacts {
  int size = 0;
  bool lacks_memory = false;
};

}  // namespace

std::unique_ptr<GradientSum> make_node_sum(const GradientSumSettings& settings,
                                           std::size_t state_bytes, bool by_name) {
  if (settings.comm.size() == 1) return nullptr;
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
