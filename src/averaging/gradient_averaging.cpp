#include "sae/averaging/gradient_averaging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "averaging_strategies.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/kernels/products.hpp"

namespace sae {
namespace {

/// The elements of `memory` from `begin` on; moves `begin` behind them.
template <typename T>
std::span<T> take(std::byte*& begin, Index count) {
  const std::span<T> taken(reinterpret_cast<T*>(begin), static_cast<std::size_t>(count));
  begin += taken.size_bytes();
  return taken;
}

std::size_t whole_lines(std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

}  // namespace

std::unique_ptr<GradientAveraging> GradientAveraging::make(const ParameterLayout& layout,
                                                           const AveragingSettings& settings,
                                                           Communicator& comm,
                                                           Heartbeat* heartbeat) {
  if (settings.strategy != Averaging::kFlat) {
    if (auto node = make_node_averaging(layout, settings, comm, heartbeat)) return node;
  }
  return make_flat_averaging(layout, settings, comm, heartbeat);
}

void GradientAveraging::start_step(const SgdStep& step, double stop_vote) {
  step_ = step;
  sums_ = {};
  sums_.stop_votes = stop_vote;
}

bool GradientAveraging::begin(const ObjectiveSums& sums) {
  const PhaseScope phase(heartbeat_, Phase::kReduction);
  const SecondsScope timer(seconds_.reduction);
  std::array<double, 4> values = {sums.loss, sums.errors, sums.samples, sums_.stop_votes};
  comm_.allreduce_sum(values);
  sums_.objective = {.loss = values[0], .errors = values[1], .samples = values[2]};
  sums_.stop_votes = values[3];
  beat(heartbeat_);
  return std::isfinite(values[0]);
}

bool GradientAveraging::finish_step(StepSums& sums) {
  const PhaseScope phase(heartbeat_, Phase::kReduction);
  sums = sums_;
  return std::isfinite(sums.objective.loss) && finish_parts();
}

bool GradientAveraging::all_finite(bool finite) {
  const SecondsScope timer(seconds_.reduction);
  return !comm_.any(!finite);
}

template <typename G>
bool GradientAveraging::update_part(Range part, const std::vector<std::span<const G>>& gradients) {
  const SecondsScope timer(seconds_.update);
  beat(heartbeat_);
  bool finite = true;
  for (const ParameterView& view : layout_.views()) {
    const Range common{std::max(part.begin, view.offset),
                       std::min(part.end, view.offset + view.size())};
    if (common.size() <= 0) continue;
    const auto size = static_cast<std::size_t>(common.size());
    const auto within = [&](auto vector, Index begin) {
      return vector.empty() ? vector : vector.subspan(static_cast<std::size_t>(begin), size);
    };
    std::vector<std::span<const G>> parts;
    parts.reserve(gradients.size());
    for (const auto& gradient : gradients) {
      parts.push_back(within(gradient, common.begin - part.begin));
    }
    SgdStep step_of_view = step_;
    if (!view.is_weights) step_of_view.weight_decay = 0;
    finite &= sgd_update<G>(
        {within(vectors_.parameters, common.begin), within(vectors_.velocity, common.begin),
         within(vectors_.rounded, common.begin)},
        parts, step_of_view);
  }
  return finite;
}

template bool GradientAveraging::update_part<float>(Range,
                                                    const std::vector<std::span<const float>>&);
template bool GradientAveraging::update_part<bfloat16>(
    Range, const std::vector<std::span<const bfloat16>>&);

bool GradientAveraging::update_by_sum(Range slice, std::span<const float> gradient) {
  return update_part<float>(slice, {gradient.subspan(static_cast<std::size_t>(slice.begin),
                                                     static_cast<std::size_t>(slice.size()))});
}

bool GradientAveraging::gradient_is_rounded() const {
  return settings_.products == Precision::kBfloat16 && settings_.gradient == Precision::kBfloat16;
}

std::size_t GradientAveraging::gradient_bytes(Index size) const {
  return whole_lines(static_cast<std::size_t>(size) *
                     (gradient_is_rounded() ? sizeof(bfloat16) : sizeof(float)));
}

GradientRef<float> GradientAveraging::gradient_at(std::byte* memory, Index size) const {
  if (gradient_is_rounded()) return {{}, take<bfloat16>(memory, size)};
  return {take<float>(memory, size), {}};
}

std::size_t GradientAveraging::shared_bytes() const {
  std::size_t element = sizeof(float);
  if (settings_.momentum) element += sizeof(float);
  if (settings_.products == Precision::kBfloat16) element += sizeof(bfloat16);
  return whole_lines(static_cast<std::size_t>(layout_.size()) * element);
}

void GradientAveraging::place_shared(std::byte* memory) {
  vectors_.parameters = take<float>(memory, layout_.size());
  if (settings_.momentum) vectors_.velocity = take<float>(memory, layout_.size());
  if (settings_.products == Precision::kBfloat16) {
    vectors_.rounded = take<bfloat16>(memory, layout_.size());
  }
}

void GradientAveraging::round_parameters() {
  if (!vectors_.rounded.empty()) round_to_bfloat16(vectors_.parameters, vectors_.rounded);
}

const char* name_of(Precision precision) {
  return precision == Precision::kBfloat16 ? "bfloat16" : "float32";
}

bool all_have_native_bfloat16(Communicator& comm) { return !comm.any(!has_native_bfloat16()); }

}  // namespace sae
