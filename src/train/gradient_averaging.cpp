#include "sae/train/gradient_averaging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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
                                                           Communicator& comm) {
  if (settings.strategy != Averaging::kFlat) {
    if (auto node = make_node_averaging(layout, settings, comm)) return node;
  }
  return make_flat_averaging(layout, settings, comm);
}

void GradientAveraging::sum_step(StepSums& sums) {
  const SecondsScope timer(seconds_.reduction);
  ObjectiveSums& objective = sums.objective;
  std::array<double, 4> values = {objective.loss, objective.errors, objective.samples,
                                  sums.stop_votes};
  comm_.allreduce_sum(values);
  objective = {.loss = values[0], .errors = values[1], .samples = values[2]};
  sums.stop_votes = values[3];
}

template <typename G>
bool GradientAveraging::update_part(Range part, const std::vector<std::span<const G>>& gradients,
                                    const SgdStep& step) {
  const SecondsScope timer(seconds_.update);
  bool finite = true;
  for (const ParameterView& view : layout_.views()) {
    const Range common{std::max(part.begin, view.offset),
                       std::min(part.end, view.offset + view.size())};
    if (common.size() <= 0) continue;
    const auto begin = static_cast<std::size_t>(common.begin);
    const auto size = static_cast<std::size_t>(common.size());
    const auto within = [&](auto vector) {
      return vector.empty() ? vector : vector.subspan(begin, size);
    };
    std::vector<std::span<const G>> parts;
    parts.reserve(gradients.size());
    for (const auto& gradient : gradients) parts.push_back(within(gradient));
    SgdStep step_of_view = step;
    if (!view.is_weights) step_of_view.weight_decay = 0;
    finite &= sgd_update<G>(
        {within(vectors_.parameters), within(vectors_.velocity), within(vectors_.rounded)}, parts,
        step_of_view);
  }
  return finite;
}

template bool GradientAveraging::update_part<float>(Range,
                                                    const std::vector<std::span<const float>>&,
                                                    const SgdStep&);
template bool GradientAveraging::update_part<bfloat16>(
    Range, const std::vector<std::span<const bfloat16>>&, const SgdStep&);

bool GradientAveraging::update_by_sum(Range slice, const SgdStep& step) {
  return update_part<float>(slice, {gradient_}, step);
}

bool GradientAveraging::gradient_is_rounded() const {
  return settings_.products == Precision::kBfloat16 && settings_.gradient == Precision::kBfloat16;
}

std::size_t GradientAveraging::gradient_bytes() const {
  return whole_lines(static_cast<std::size_t>(layout_.size()) *
                     (gradient_is_rounded() ? sizeof(bfloat16) : sizeof(float)));
}

std::size_t GradientAveraging::shared_bytes() const {
  std::size_t element = sizeof(float);
  if (settings_.momentum) element += sizeof(float);
  if (settings_.products == Precision::kBfloat16) element += sizeof(bfloat16);
  return whole_lines(static_cast<std::size_t>(layout_.size()) * element);
}

void GradientAveraging::place_gradient(std::byte* memory) {
  if (gradient_is_rounded()) {
    rounded_gradient_ = take<bfloat16>(memory, layout_.size());
  } else {
    gradient_ = take<float>(memory, layout_.size());
  }
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

bool all_have_native_bfloat16(Communicator& comm) {
  std::array<double, 1> without = {has_native_bfloat16() ? 0.0 : 1.0};
  comm.allreduce_sum(without);
  return without[0] == 0;
}

}  // namespace sae
