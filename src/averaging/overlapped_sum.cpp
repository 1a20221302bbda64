#include "overlapped_sum.hpp"

#include <algorithm>
#include <utility>

#include "sae/kernels/bfloat16.hpp"
#include "seconds_scope.hpp"

namespace sae {
namespace {

void add_to(std::span<float> sum, const GradientRef<float>& gradient) {
  if (!gradient.rounded.empty()) return add_widened(gradient.rounded, sum);
  add_widened(gradient.values, sum);
}

}  // namespace

Index OverlappedSum::message_elements(int ranks, int senders) {
  constexpr Index kFewest = Index{1} << 17;
  constexpr Index kMost = Index{1} << 19;
  constexpr Index kOfARank = Index{1} << 12;
  return std::clamp(ranks * kOfARank, kFewest / senders, kMost / senders);
}

void OverlappedSum::add(Range bucket, const std::vector<GradientRef<float>>& gradients) {
  for (Index begin = bucket.begin; begin < bucket.end;) {
    const Range part{begin, std::min(begin + message_elements_ - filling_.size, bucket.end)};
    const Range in_bucket{part.begin - bucket.begin, part.end - bucket.begin};
    append(part, gradients, in_bucket);
    if (filling_.size == message_elements_) send();
    begin = part.end;
  }
}

void OverlappedSum::append(Range part, const std::vector<GradientRef<float>>& gradients,
                           Range in_bucket) {
  const Range in_message{filling_.size, filling_.size + part.size()};
  filling_.parts.push_back(part);
  filling_.size += part.size();
  std::span<float> sum;
  if (sends_bfloat16_) {
    filling_.rounded.resize(message_elements_);
    sum_.resize(message_elements_);
    sum = within(span_of(sum_), {0, part.size()});
  } else {
    filling_.values.resize(message_elements_);
    sum = within(span_of(filling_.values), in_message);
  }
  std::fill(sum.begin(), sum.end(), 0.0f);
  for (const auto& gradient : gradients) add_to(sum, within(gradient, in_bucket));
  if (sends_bfloat16_) round_to_bfloat16(sum, within(span_of(filling_.rounded), in_message));
}

void OverlappedSum::send() {
  if (filling_.size == 0) return;
  messages_.push_back(std::move(filling_));
  if (spare_.empty()) {
    filling_ = {};
  } else {
    filling_ = std::move(spare_.back());
    spare_.pop_back();
  }
  Message& message = messages_.back();
  if (sends_bfloat16_) {
    message.rounded_sum = comm_.start_allreduce_sum(std::move(message.rounded), message.size);
  } else {
    message.sum = comm_.start_allreduce_sum(std::move(message.values), message.size);
  }
}

void OverlappedSum::progress() {
  const SecondsScope timer(seconds_.reduction);
  for (Message& message : messages_) {
    message.arrived = sends_bfloat16_ ? message.rounded_sum->poll() : message.sum->poll();
  }
}

void OverlappedSum::take_sum(Message& message) const {
  if (sends_bfloat16_) {
    message.rounded = std::exchange(message.rounded_sum, nullptr)->wait();
  } else {
    message.values = std::exchange(message.sum, nullptr)->wait();
  }
}

}  // namespace sae
