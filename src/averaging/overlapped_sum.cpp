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

void OverlappedSum::add(Range bucket, const std::vector<GradientRef<float>>& gradients) {
  if (bucket.size() == 0) return;
  const auto size = static_cast<std::size_t>(bucket.size());
  const auto begin = static_cast<std::size_t>(filling_.size);
  filling_.buckets.push_back(bucket);
  filling_.size += bucket.size();
  const auto make_room = [&](auto& vector) {
    if (vector.size() < filling_.size) {
      vector.conservativeResize(std::max(filling_.size, message_elements_ + bucket.size()));
    }
  };
  std::span<float> sum;
  if (sends_bfloat16_) {
    make_room(filling_.rounded);
    sum_.resize(bucket.size());
    sum = span_of(sum_);
  } else {
    make_room(filling_.values);
    sum = span_of(filling_.values).subspan(begin, size);
  }
  std::fill(sum.begin(), sum.end(), 0.0f);
  for (const auto& gradient : gradients) add_to(sum, gradient);
  if (sends_bfloat16_) round_to_bfloat16(sum, span_of(filling_.rounded).subspan(begin, size));
  if (filling_.size >= message_elements_) send();
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

bool OverlappedSum::arrived(Message& message) {
  const SecondsScope timer(seconds_.reduction);
  return sends_bfloat16_ ? message.rounded_sum->poll() : message.sum->poll();
}

void OverlappedSum::wait_for(Message& message) {
  const SecondsScope timer(seconds_.reduction);
  if (sends_bfloat16_) {
    message.rounded = std::exchange(message.rounded_sum, nullptr)->wait();
  } else {
    message.values = std::exchange(message.sum, nullptr)->wait();
  }
}

}  // namespace sae
