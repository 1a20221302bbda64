#include "sae/averaging/reproducible_sum.hpp"

#include <array>
#include <cassert>

#include "sae/data/partition.hpp"

namespace sae {
namespace {

void add(const ObjectiveSums& other, ObjectiveSums& sums) {
  sums.loss += other.loss;
  sums.errors += other.errors;
  sums.samples += other.samples;
}

/// The samples [range.begin, range.end) of a minibatch.
Minibatch<float> part_of(const Minibatch<float>& whole, Range range) {
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

ObjectiveSums ReproducibleSum::add_slices(Objective<float>& objective,
                                          const ParametersRef<float>& parameters,
                                          const Minibatch<float>& minibatch, std::uint32_t epoch,
                                          Range slices, std::span<float> gradient,
                                          std::size_t depth) {
  if (slices.size() == 1) {
    const Range whole{0, minibatch.global_size};
    const Index own_begin = part_of_range(whole, comm_.rank(), comm_.size()).begin;
    const Range slice = part_of_range(whole, slices.begin, kSlices);
    FlatGradient<float> sink(gradient);
    beat(heartbeat_);
    return objective.evaluate(parameters,
                              part_of(minibatch, {slice.begin - own_begin, slice.end - own_begin}),
                              epoch, sink);
  }
  const Index middle = slices.begin + slices.size() / 2;
  ObjectiveSums sums = add_slices(objective, parameters, minibatch, epoch, {slices.begin, middle},
                                  gradient, depth + 1);
  if (partial_.size() <= depth) partial_.resize(depth + 1);
  if (partial_[depth].size() == 0) {
    partial_[depth] = Vector<float>::Zero(static_cast<Index>(gradient.size()));
  }
  // Moved out for the call: deeper levels may make the list longer.
  Vector<float> right = std::move(partial_[depth]);
  add(add_slices(objective, parameters, minibatch, epoch, {middle, slices.end}, span_of(right),
                 depth + 1),
      sums);
  const Range range = objective.slice();
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
  const Range slices = part_of_range({0, kSlices}, comm_.rank(), comm_.size());
  StepSums sums{add_slices(objective, parameters, minibatch, epoch, slices, gradient, 0),
                stop_vote};

  const Range range = objective.slice();
  const std::span own(gradient.data() + range.begin, static_cast<std::size_t>(range.size()));
  Vector<float> other(range.size());
  const std::span others(other.data(), own.size());
  // The rest of the tree: neighbours, then pairs of them, ... A sum of two floats has the same bits
  // in either order, so both partners get the same.
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
    add({received[0], received[1], received[2]}, sums.objective);
    sums.stop_votes += received[3];
  }
  return sums;
}

}  // namespace sae
