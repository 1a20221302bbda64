#include <fmt/format.h>

#include <cmath>

#include "averaging_strategies.hpp"
#include "sae/kernels/bfloat16.hpp"

namespace sae {
namespace {

/// Each rank holds and updates everything.
class FlatAveraging final : public GradientAveraging {
 public:
  FlatAveraging(const ParameterLayout& layout, const AveragingSettings& settings,
                Communicator& comm)
      : GradientAveraging(layout, settings, comm) {
    memory_ = Vector<float>::Zero(
        static_cast<Index>((shared_bytes() + gradient_bytes()) / sizeof(float) + 1));
    auto* begin = reinterpret_cast<std::byte*>(memory_.data());
    place_shared(begin);
    place_gradient(begin + shared_bytes());
    if (travels_rounded() && !gradient_.empty()) {
      travelling_.resize(layout.size());
    }
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

  bool sum_and_update(Range slice, StepSums& sums, const SgdStep& step) override {
    sum_step(sums);
    if (!std::isfinite(sums.objective.loss)) return false;
    const auto begin = static_cast<std::size_t>(slice.begin);
    const auto size = static_cast<std::size_t>(slice.size());
    if (!travels_rounded() || comm_.size() == 1) {
      if (gradient_.empty()) return update_part<bfloat16>(slice, {rounded_gradient_}, step);
      {
        const SecondsScope timer(seconds_.reduction);
        comm_.allreduce_sum(gradient_.subspan(begin, size));
      }
      return update_part<float>(slice, {gradient_}, step);
    }
    std::span<bfloat16> sent = rounded_gradient_;
    if (sent.empty()) {
      sent = {travelling_.data(), static_cast<std::size_t>(travelling_.size())};
      round_to_bfloat16(gradient_.subspan(begin, size), sent.subspan(begin, size));
    }
    {
      const SecondsScope timer(seconds_.reduction);
      comm_.allreduce_sum(sent.subspan(begin, size));
    }
    return update_part<bfloat16>(slice, {sent}, step);
  }

  std::string description() const override {
    return fmt::format("flat, {} gradients", travels_rounded() ? "bfloat16" : "float32");
  }

 private:
  bool travels_rounded() const { return settings_.gradient == Precision::kBfloat16; }

  Vector<float> memory_;  // Of all vectors; aligned.
  Vector<bfloat16> travelling_;
};

}  // namespace

std::unique_ptr<GradientAveraging> make_flat_averaging(const ParameterLayout& layout,
                                                       const AveragingSettings& settings,
                                                       Communicator& comm) {
  return std::make_unique<FlatAveraging>(layout, settings, comm);
}

}  // namespace sae
