#include "parameter_update.hpp"

#include <algorithm>
#include <utility>

#include "sae/kernels/bfloat16.hpp"
#include "seconds_scope.hpp"

namespace sae {
ParameterUpdate::ParameterUpdate(const ParameterLayout& layout, const Optimizer& optimizer,
                                 const UpdatedVectors& vectors, Heartbeat* heartbeat,
                                 double& seconds)
    : layout_(layout),
      optimizer_(optimizer),
      vectors_(vectors),
      heartbeat_(heartbeat),
      seconds_(seconds),
      statistics_(optimizer.statistics(layout.views().size())) {
  if (!statistics_.empty()) whole_.resize(layout.size());
}

void ParameterUpdate::begin_step(const OptimizerStep& step) {
  step_ = step;
  parts_.clear();
  finite_ = true;
}

void ParameterUpdate::receive(Range part, const std::vector<std::span<const float>>& gradients) {
  update_or_keep(part, gradients);
}

void ParameterUpdate::receive(Range part, const std::vector<std::span<const bfloat16>>& gradients) {
  update_or_keep(part, gradients);
}

template <typename G>
void ParameterUpdate::update_or_keep(Range part, const std::vector<std::span<const G>>& gradients) {
  const SecondsScope timer(seconds_);
  beat(heartbeat_);
  if (statistics_.empty()) return update(part, gradients);
  const std::span<float> sum = within(span_of(whole_), part);
  std::fill(sum.begin(), sum.end(), 0.0f);
  for (const auto& gradient : gradients) add_widened(gradient, sum);
  parts_.push_back(part);
}

bool ParameterUpdate::finish(GradientSum& sum) {
  if (!statistics_.empty()) {
    std::fill(statistics_.begin(), statistics_.end(), 0.0);
    for (const Range part : parts_) {
      for_arrays_in(part, [&](Index array, Range elements) {
        optimizer_.add_statistics(array, within(vectors_.parameters, elements),
                                  within(span_of(std::as_const(whole_)), elements), statistics_);
      });
    }
    sum.add_shares(statistics_);
    const SecondsScope timer(seconds_);
    for (const Range part : parts_) {
      update<float>(part, {within(span_of(std::as_const(whole_)), part)});
    }
  }
  return finite_;
}

template <typename G>
void ParameterUpdate::update(Range part, const std::vector<std::span<const G>>& gradients) {
  for_arrays_in(part, [&](Index array, Range elements) {
    const Range in_part{elements.begin - part.begin, elements.end - part.begin};
    std::vector<std::span<const G>> of_array;
    of_array.reserve(gradients.size());
    for (const auto& gradient : gradients) of_array.push_back(within(gradient, in_part));
    UpdatedVectors vectors{.parameters = within(vectors_.parameters, elements),
                           .slots = {},
                           .rounded = within(vectors_.rounded, elements)};
    for (const auto& slot : vectors_.slots) vectors.slots.push_back(within(slot, elements));
    OptimizerStep step = step_;
    step.array = array;
    step.statistics = statistics_;
    if (!layout_.views()[static_cast<std::size_t>(array)].is_weights) step.weight_decay = 0;
    finite_ &= optimizer_.update(vectors, of_array, step);
  });
}

template <typename Action>
void ParameterUpdate::for_arrays_in(Range part, const Action& action) const {
  const auto& views = layout_.views();
  for (std::size_t array = 0; array < views.size(); ++array) {
    const ParameterView& view = views[array];
    const Range elements{std::max(part.begin, view.offset),
                         std::min(part.end, view.offset + view.size())};
    if (elements.size() > 0) action(static_cast<Index>(array), elements);
  }
}

}  // namespace sae
