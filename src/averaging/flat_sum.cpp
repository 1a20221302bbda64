#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gradient_sum.hpp"
#include "overlapped_sum.hpp"
#include "sae/core/host.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/model/gradient_parts.hpp"
#include "seconds_scope.hpp"

namespace sae {
namespace {

/// Memory that begins on a cache line.
Vector<float> zeroed(std::size_t bytes) {
  return Vector<float>::Zero(static_cast<Index>(bytes / sizeof(float)));
}

std::byte* begin_of(Vector<float>& memory) { return reinterpret_cast<std::byte*>(memory.data()); }

/// One rank has nothing to add: each part is a sum at once. Several add up the whole slice in one
/// call, or on several hosts in parts while the objective computes the next ones.
class FlatSum final : public GradientSum {
 public:
  FlatSum(const GradientSumSettings& settings, bool several_hosts)
      : comm_(settings.comm), format_(settings.format), seconds_(settings.seconds) {
    const Index size = settings.layout.size();
    const bool whole = comm_.size() > 1 && !several_hosts;
    gradient_memory_ = zeroed(format_.bytes(whole ? size : largest_part(settings.layout)));
    if (whole) gradient_ = format_.at(begin_of(gradient_memory_), size);
    if (whole && is_sent_rounded() && gradient_.rounded.empty()) sent_.resize(size);
    if (several_hosts) sum_.emplace(comm_, is_sent_rounded(), 1, seconds_);
  }

  std::byte* allocate_state(std::size_t bytes) override {
    state_ = zeroed(bytes);
    return begin_of(state_);
  }
  bool initializes_state() const override { return true; }
  void broadcast_state(const std::vector<std::span<std::byte>>& parts) override {
    for (const auto part : parts) comm_.broadcast(part, 0);
  }

  GradientRef<float> memory(Range part, SumReceiver& /*receiver*/) override {
    if (comm_.size() == 1 || sum_) return format_.at(begin_of(gradient_memory_), part.size());
    return within(gradient_, part);
  }

  void ready(Range part, SumReceiver& receiver) override {
    if (comm_.size() == 1) {
      receiver.receive_all(part, {format_.at(begin_of(gradient_memory_), part.size())});
    } else if (sum_) {
      sum_->add(part, {format_.at(begin_of(gradient_memory_), part.size())});
      sum_->poll([&](Range of, auto sum) { receiver.receive(of, {sum}); });
    } else {
      slice_ = slice_.size() == 0
                   ? part
                   : Range{std::min(slice_.begin, part.begin), std::max(slice_.end, part.end)};
    }
  }

  void finish(SumReceiver& receiver) override {
    if (sum_) {
      sum_->finish([&](Range of, auto sum) { receiver.receive(of, {sum}); });
    } else if (comm_.size() > 1) {
      sum_slice(receiver);
    }
  }

  void add_shares(std::span<double> /*values*/) override {}
  /// All ranks hold the same sums, so all decide the same.
  bool end_step(bool finite) override { return finite; }

  UpdateShare update_share() const override {
    const bool alone = comm_.size() == 1;
    return {.in_parts = alone || sum_, .element = alone ? format_.written : format_.sent};
  }
  std::string description() const override {
    return fmt::format("flat, {} gradients{}", is_sent_rounded() ? "bfloat16" : "float32",
                       sum_ ? ", summed while others are computed" : "");
  }

 private:
  void sum_slice(SumReceiver& receiver) {
    const Range slice = std::exchange(slice_, Range{});
    const auto gradient = within(gradient_, slice);
    if (!is_sent_rounded()) return sum_over_ranks(slice, gradient.values, receiver);
    std::span<bfloat16> sent = gradient.rounded;
    if (sent.empty()) {
      sent = within(span_of(sent_), slice);
      round_to_bfloat16(gradient.values, sent);
    }
    sum_over_ranks(slice, sent, receiver);
  }

  template <typename G>
  void sum_over_ranks(Range slice, std::span<G> gradient, SumReceiver& receiver) {
    {
      const SecondsScope timer(seconds_.reduction);
      comm_.allreduce_sum(gradient);
    }
    receiver.receive(slice, {std::span<const G>(gradient)});
  }

  bool is_sent_rounded() const { return format_.sent == Precision::kBfloat16; }

  Communicator& comm_;
  GradientFormat format_;
  UpdateSeconds& seconds_;
  Vector<float> state_;
  Vector<float> gradient_memory_;  // Of the whole gradient, or of a part.
  GradientRef<float> gradient_{{}, {}};
  Vector<bfloat16> sent_;
  Range slice_;  // Of the parts of this step.
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
