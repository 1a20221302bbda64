#include "sae/averaging/reproducible_sum.hpp"

#include <array>
#include <cassert>

#include "sae/core/partition.hpp"

namespace sae {
namespace {

/// The samples [range.begin, range.end) of a minibatch.
Minibatch<float> samples_of(const Minibatch<float>& whole, Range range) {
  Minibatch<float> part;
  part.inputs = whole.inputs.middleCols(range.begin, range.size());
  part.labels = {whole.labels.begin() + range.begin, whole.labels.begin() + range.end};
  part.samples = {whole.samples.begin() + range.begin, whole.samples.begin() + range.end};
  part.global_size = whole.global_size;
  part.encoded_layers = whole.encoded_layers;
  return part;
}

Eigen::Map<Vector<float>> segment_of(std::span<float> vector, Range range) {
  return {vector.data() + range.begin, range.size()};
}

}  // namespace

ObjectiveSums ReproducibleSum::add_microbatches(Objective<float>& objective,
                                                const ParametersRef<float>& parameters,
                                                const Minibatch<float>& minibatch,
                                                std::uint32_t epoch, Range microbatches,
                                                std::span<float> gradient, std::size_t depth) {
  if (microbatches.size() == 1) {
    const Range whole{0, minibatch.global_size};
    const Index own_begin = part_of_range(whole, comm_.rank(), comm_.size()).begin;
    const Range microbatch = part_of_range(whole, microbatches.begin, kMicrobatches);
    FlatGradient<float> sink(gradient);
    beat(heartbeat_);
    return objective.evaluate(
        parameters,
        samples_of(minibatch, {microbatch.begin - own_begin, microbatch.end - own_begin}), epoch,
        sink);
  }
  const Index middle = microbatches.begin + microbatches.size() / 2;
  ObjectiveSums sums = add_microbatches(objective, parameters, minibatch, epoch,
                                        {microbatches.begin, middle}, gradient, depth + 1);
  if (partial_.size() <= depth) partial_.resize(depth + 1);
  if (partial_[depth].size() == 0) {
    partial_[depth] = Vector<float>::Zero(static_cast<Index>(gradient.size()));
  }
  // Moved out for the call: deeper levels may resize the list.
  Vector<float> right = std::move(partial_[depth]);
  sums += add_microbatches(objective, parameters, minibatch, epoch, {middle, microbatches.end},
                           span_of(right), depth + 1);
  const Range range = objective.trainable_range();
  segment_of(gradient, range) += segment_of(span_of(right), range);
  partial_[depth] = std::move(right);
  return sums;
}

StepSums ReproducibleSum::evaluate(Objective<float>& objective,
                                   const ParametersRef<float>& parameters,
                                   const Minibatch<float>& minibatch, std::uint32_t epoch,
                                   double stop_vote) {
  assert(possible(comm_.size()));
  if (gradient_.size() == 0) {
    gradient_ = Vector<float>::Zero(static_cast<Index>(parameters.values.size()));
  }
  const std::span<float> gradient = span_of(gradient_);
  const Range microbatches = part_of_range({0, kMicrobatches}, comm_.rank(), comm_.size());
  StepSums sums{
      add_microbatches(objective, parameters, minibatch, epoch, microbatches, gradient, 0),
      stop_vote};

  const Range range = objective.trainable_range();
  const std::span own(gradient.data() + range.begin, static_cast<std::size_t>(range.size()));
  Vector<float> other(range.size());
  const std::span others(other.data(), own.size());
  // The upper levels of the tree, by recursive doubling. a + b and b + a have the same bits, so
  // both partners get the same sum.
  for (int distance = 1; distance < comm_.size(); distance *= 2) {
    beat(heartbeat_);
    const int partner = comm_.rank() ^ distance;
    comm_.swap_with(std::as_bytes(own), std::as_writable_bytes(others), partner);
    segment_of(gradient, range) += other;
    const std::array<double, 4> sent = {sums.objective.loss, sums.objective.errors,
                                        sums.objective.samples, sums.stop_votes};
    std::array<double, 4> received{};
    comm_.swap_with(std::as_bytes(std::span(sent)), std::as_writable_bytes(std::span(received)),
                    partner);
    sums.objective += {received[0], received[1], received[2]};
    sums.stop_votes += received[3];
  }
  return sums;
}

}  // namespace sae
