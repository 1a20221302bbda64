#include "parameter_update.hpp"

#include <algorithm>
#include <utility>

#include "sae/kernels/bfloat16.hpp"
#include "seconds_scope.hpp"

namespace sae {
ParameterUpdate::ParameterUpdate(const ParameterLayout& layout, const Optimizer& optimizer,
                                 const UpdatedVectors& vectors, const WeightAverage& average,
                                 double max_norm, Heartbeat* heartbeat, double& seconds)
    : layout_(layout),
      optimizer_(optimizer),
      vectors_(vectors),
      average_(average),
      max_norm_(layout, max_norm),
      heartbeat_(heartbeat),
      seconds_(seconds),
      statistics_(optimizer.statistics(layout.views().size())) {
  if (!statistics_.empty()) summed_gradient_.resize(layout.size());
}

void ParameterUpdate::begin_step(const OptimizerStep& step) {
  step_ = step;
  buckets_.clear();
  finite_ = true;
}

void ParameterUpdate::receive(Range bucket, const std::vector<std::span<const float>>& gradients) {
  update_or_store(bucket, gradients);
}

void ParameterUpdate::receive(Range bucket,
                              const std::vector<std::span<const bfloat16>>& gradients) {
  update_or_store(bucket, gradients);
}

template <typename G>
void ParameterUpdate::update_or_store(Range bucket,
                                      const std::vector<std::span<const G>>& gradients) {
  const SecondsScope timer(seconds_);
  beat(heartbeat_);
  buckets_.push_back(bucket);
  if (statistics_.empty()) return update(bucket, gradients);
  const std::span<float> sum = within(span_of(summed_gradient_), bucket);
  std::fill(sum.begin(), sum.end(), 0.0f);
  for (const auto& gradient : gradients) add_widened(gradient, sum);
}

bool ParameterUpdate::finish(GradientSum& sum) {
  if (!statistics_.empty()) {
    std::fill(statistics_.begin(), statistics_.end(), 0.0);
    for (const Range bucket : buckets_) {
      for_arrays_in(bucket, [&](Index array, Range elements) {
        optimizer_.add_statistics(array, within(vectors_.parameters, elements),
                                  within(span_of(std::as_const(summed_gradient_)), elements),
                                  statistics_);
      });
    }
    sum.allreduce_over_owners(statistics_);
    const SecondsScope timer(seconds_);
    for (const Range bucket : buckets_) {
      update<float>(bucket, {within(span_of(std::as_const(summed_gradient_)), bucket)});
    }
  }
  if (max_norm_.limits()) {
    max_norm_.apply(buckets_, vectors_, sum);
    for (const Range bucket : buckets_) update_average(bucket);
  }
  return finite_;
}

template <typename G>
void ParameterUpdate::update(Range bucket, const std::vector<std::span<const G>>& gradients) {
  for_arrays_in(bucket, [&](Index array, Range elements) {
    const Range in_bucket{elements.begin - bucket.begin, elements.end - bucket.begin};
    std::vector<std::span<const G>> of_array;
    of_array.reserve(gradients.size());
    for (const auto& gradient : gradients) of_array.push_back(within(gradient, in_bucket));
    UpdatedVectors vectors{.parameters = within(vectors_.parameters, elements),
                           .slots = {},
                           .rounded = within(vectors_.rounded, elements)};
    for (const auto& slot : vectors_.slots) vectors.slots.push_back(within(slot, elements));
    OptimizerStep step = step_;
    step.array = array;
    step.statistics = statistics_;
    if (!layout_.views()[static_cast<std::size_t>(array)].is_weights) step.weight_decay = 0;
    finite_ &= optimizer_.update(vectors, of_array, step);
    if (!max_norm_.limits()) update_average(elements);
  });
}

void ParameterUpdate::update_average(Range elements) const {
  if (average_.values.empty()) return;
  const std::span<float> average = within(average_.values, elements);
  const std::span<const float> parameters = within(vectors_.parameters, elements);
  // The first update is taken whole, and early ones count more than later ones.
  const auto number = static_cast<double>(step_.number);
  const auto share = static_cast<float>(1 - std::min(average_.decay, (number - 1) / (number + 9)));
  constexpr Index kFewForThreads = 1 << 14;
  const auto size = static_cast<Index>(average.size());
#pragma omp parallel for simd schedule(static) if (size >= kFewForThreads)
  for (Index i = 0; i < size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    average[at] += share * (parameters[at] - average[at]);
  }
}

template <typename Action>
void ParameterUpdate::for_arrays_in(Range bucket, const Action& action) const {
  const auto& views = layout_.views();
  for (std::size_t array = 0; array < views.size(); ++array) {
    const ParameterView& view = views[array];
    const Range elements{std::max(bucket.begin, view.offset),
                         std::min(bucket.end, view.offset + view.size())};
    if (elements.size() > 0) action(static_cast<Index>(array), elements);
  }
}

}  // namespace sae
