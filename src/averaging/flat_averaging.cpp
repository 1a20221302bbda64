#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "averaging_strategies.hpp"
#include "overlapped_sum.hpp"
#include "sae/core/host.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/model/gradient_parts.hpp"

namespace sae {
namespace {

/// Each rank holds and updates everything. One rank updates each part of a gradient at once;
/// several add up the whole slice in one call, or on several hosts in parts while the objective
/// computes the next ones.
class FlatAveraging final : public GradientAveraging {
 public:
  FlatAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                Communicator& comm, Heartbeat* heartbeat, bool several_hosts)
      : GradientAveraging(layout, settings, comm, heartbeat) {
    const bool whole = comm.size() > 1 && !several_hosts;
    memory_ = Vector<float>::Zero(static_cast<Index>(shared_bytes() / sizeof(float)));
    place_shared(reinterpret_cast<std::byte*>(memory_.data()));
    const Index gradient_size = whole ? layout.size() : largest_part(layout);
    gradient_memory_ =
        Vector<float>::Zero(static_cast<Index>(gradient_bytes(gradient_size) / sizeof(float)));
    if (whole) gradient_ = gradient_at(gradient_begin(), layout.size());
    if (whole && travels_rounded() && !gradient_is_rounded()) travelling_.resize(layout.size());
    if (several_hosts) sum_.emplace(comm, travels_rounded(), 1, seconds_);
  }

  void share_from_root() override {
    comm_.broadcast(std::as_writable_bytes(vectors_.parameters), 0);
    if (!vectors_.velocity.empty()) {
      comm_.broadcast(std::as_writable_bytes(vectors_.velocity), 0);
    }
    round_parameters();
  }

  void reset_velocity() override {
    std::fill(vectors_.velocity.begin(), vectors_.velocity.end(), 0.0f);
  }

  GradientRef<float> memory(Range part) override {
    if (comm_.size() == 1 || sum_) return gradient_at(gradient_begin(), part.size());
    const auto within = [&](auto whole) {
      return whole.empty() ? whole
                           : whole.subspan(static_cast<std::size_t>(part.begin),
                                           static_cast<std::size_t>(part.size()));
    };
    return {within(gradient_.values), within(gradient_.rounded)};
  }

  void ready(Range part) override {
    beat(heartbeat_);
    if (comm_.size() == 1) {
      const auto gradient = gradient_at(gradient_begin(), part.size());
      finite_ &= gradient_is_rounded() ? update_part<bfloat16>(part, {gradient.rounded})
                                       : update_part<float>(part, {gradient.values});
    } else if (sum_) {
      sum_->add(part, {gradient_at(gradient_begin(), part.size())});
      sum_->poll([this](Range of, auto gradient) { update_by(of, gradient); });
    } else {
      slice_ = slice_.size() == 0
                   ? part
                   : Range{std::min(slice_.begin, part.begin), std::max(slice_.end, part.end)};
    }
  }

  std::string description() const override {
    return fmt::format("flat, {} gradients{}", travels_rounded() ? "bfloat16" : "float32",
                       sum_ ? ", summed while others are computed" : "");
  }

 private:
  bool finish_parts() override {
    if (comm_.size() > 1) {
      if (sum_) {
        sum_->finish([this](Range of, auto gradient) { update_by(of, gradient); });
      } else {
        update_slice();
      }
    }
    // All ranks hold the same sums, so all decide the same.
    return std::exchange(finite_, true);
  }

  template <typename G>
  void update_by(Range part, std::span<const G> gradient) {
    finite_ &= update_part<G>(part, {gradient});
  }

  void update_slice() {
    const Range slice = std::exchange(slice_, Range{});
    const auto begin = static_cast<std::size_t>(slice.begin);
    const auto size = static_cast<std::size_t>(slice.size());
    if (!travels_rounded()) {
      const auto sent = gradient_.values.subspan(begin, size);
      sum_over_ranks(sent);
      return update_by<float>(slice, sent);
    }
    std::span<bfloat16> sent = gradient_.rounded;
    if (sent.empty()) sent = span_of(travelling_);
    sent = sent.subspan(begin, size);
    if (gradient_.rounded.empty()) round_to_bfloat16(gradient_.values.subspan(begin, size), sent);
    sum_over_ranks(sent);
    update_by<bfloat16>(slice, sent);
  }

  template <typename G>
  void sum_over_ranks(std::span<G> gradient) {
    const SecondsScope timer(seconds_.reduction);
    comm_.allreduce_sum(gradient);
  }

  bool travels_rounded() const { return settings_.gradient == Precision::kBfloat16; }
  std::byte* gradient_begin() { return reinterpret_cast<std::byte*>(gradient_memory_.data()); }

  Vector<float> memory_;           // Of parameters and velocity; aligned.
  Vector<float> gradient_memory_;  // Of the whole gradient, or of a part.
  GradientRef<float> gradient_{{}, {}};
  Vector<bfloat16> travelling_;
  Range slice_;  // Of the parts of this step.
  std::optional<OverlappedSum> sum_;
  bool finite_ = true;
};

}  // namespace

std::unique_ptr<GradientAveraging> make_flat_averaging(const ParameterLayout& layout,
                                                       const AveragingSettings& settings,
                                                       Communicator& comm, Heartbeat* heartbeat) {
  const auto hosts = comm.allgather(host_name());
  const bool several = std::any_of(hosts.begin(), hosts.end(),
                                   [&](const std::string& host) { return host != hosts[0]; });
  return std::make_unique<FlatAveraging>(layout, settings, comm, heartbeat, several);
}

}  // namespace sae
