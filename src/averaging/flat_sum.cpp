#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gradient_sum.hpp"
#include "overlapped_sum.hpp"
#include "sae/core/host.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/model/gradient_buckets.hpp"
#include "seconds_scope.hpp"

namespace sae {
namespace {

/// Aligned to a cache line.
Vector<float> zeroed(std::size_t bytes) {
  return Vector<float>::Zero(static_cast<Index>(bytes / sizeof(float)));
}

std::byte* begin_of(Vector<float>& memory) { return reinterpret_cast<std::byte*>(memory.data()); }

/// With one rank, each bucket is already a sum. With several ranks on one host, one all-reduce sums
/// the whole trainable range. On several hosts, each bucket is summed while the objective computes
/// the next ones.
class FlatSum final : public GradientSum {
 public:
  FlatSum(const GradientSumSettings& settings, bool several_hosts)
      : comm_(settings.comm), format_(settings.format), seconds_(settings.seconds) {
    const Index size = settings.layout.size();
    const bool whole = comm_.size() > 1 && !several_hosts;
    gradient_memory_ = zeroed(format_.bytes(whole ? size : largest_bucket(settings.layout)));
    if (whole) gradient_ = format_.at(begin_of(gradient_memory_), size);
    if (whole && sends_bfloat16() && gradient_.rounded.empty()) sent_.resize(size);
    if (several_hosts) sum_.emplace(comm_, sends_bfloat16(), 1, seconds_);
  }

  std::byte* allocate_state(std::size_t bytes) override {
    state_ = zeroed(bytes);
    return begin_of(state_);
  }
  bool initializes_state() const override { return true; }
  void broadcast_state(const std::vector<std::span<std::byte>>& arrays) override {
    for (const auto array : arrays) comm_.broadcast(array, 0);
  }

  bool overlaps() const override { return sum_.has_value(); }
  GradientRef<float> memory(Range bucket, SumReceiver& /*receiver*/) override {
    if (comm_.size() == 1 || sum_) return format_.at(begin_of(gradient_memory_), bucket.size());
    return within(gradient_, bucket);
  }

  void ready(Range bucket, SumReceiver& receiver) override {
    if (comm_.size() == 1) {
      receiver.receive_all(bucket, {format_.at(begin_of(gradient_memory_), bucket.size())});
    } else if (sum_) {
      sum_->add(bucket, {format_.at(begin_of(gradient_memory_), bucket.size())});
      sum_->poll([&](Range of, auto sum) { receiver.receive(of, {sum}); });
    } else {
      range_ = range_.size() == 0
                   ? bucket
                   : Range{std::min(range_.begin, bucket.begin), std::max(range_.end, bucket.end)};
    }
  }

  void finish(SumReceiver& receiver) override {
    if (sum_) {
      sum_->finish([&](Range of, auto sum) { receiver.receive(of, {sum}); });
    } else if (comm_.size() > 1) {
      sum_over_ranks(receiver);
    }
  }

  void allreduce_over_owners(std::span<double> /*values*/) override {}
  /// Local: all ranks hold the same sums.
  bool end_step(bool finite) override { return finite; }

  UpdateShare update_share() const override {
    const bool alone = comm_.size() == 1;
    return {.in_buckets = alone || sum_, .element = alone ? format_.written : format_.sent};
  }
  std::string description() const override {
    return fmt::format("flat, {} gradients{}", sends_bfloat16() ? "bfloat16" : "float32",
                       sum_ ? ", summed while others are computed" : "");
  }

 private:
  void sum_over_ranks(SumReceiver& receiver) {
    const Range range = std::exchange(range_, Range{});
    const auto gradient = within(gradient_, range);
    if (!sends_bfloat16()) return allreduce(range, gradient.values, receiver);
    std::span<bfloat16> sent = gradient.rounded;
    if (sent.empty()) {
      sent = within(span_of(sent_), range);
      round_to_bfloat16(gradient.values, sent);
    }
    allreduce(range, sent, receiver);
  }

  template <typename G>
  void allreduce(Range range, std::span<G> gradient, SumReceiver& receiver) {
    {
      const SecondsScope timer(seconds_.reduction);
      comm_.allreduce_sum(gradient);
    }
    receiver.receive(range, {std::span<const G>(gradient)});
  }

  bool sends_bfloat16() const { return format_.sent == Precision::kBfloat16; }

  Communicator& comm_;
  GradientFormat format_;
  UpdateSeconds& seconds_;
  Vector<float> state_;
  Vector<float> gradient_memory_;  // The whole gradient, or one bucket.
  GradientRef<float> gradient_{{}, {}};
  Vector<bfloat16> sent_;
  Range range_;  // Covers the buckets of this step.
  std::optional<OverlappedSum> sum_;
};

}  // namespace

std::unique_ptr<GradientSum> make_flat_sum(const GradientSumSettings& settings) {
  const auto hosts = settings.comm.allgather(host_name());
  const bool several = std::any_of(hosts.begin(), hosts.end(),
                                   [&](const std::string& host) { return host != hosts[0]; });
  return std::make_unique<FlatSum>(settings, several);
}

}  // namespace sae
