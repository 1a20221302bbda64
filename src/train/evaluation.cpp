#include "sae/train/evaluation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "sae/kernels/elementwise.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

/// Calls `action` with each block of this rank's samples.
template <typename Action>
void for_each_evaluation_block(const Shard& shard, Heartbeat* heartbeat, const Action& action) {
  for (Index begin = shard.samples().begin; begin < shard.samples().end;
       begin += kEvaluationBlock) {
    action(Range{begin, std::min(begin + kEvaluationBlock, shard.samples().end)});
    beat(heartbeat);
  }
}

/// The 101 percentiles; none of no values.
std::vector<double> percentiles_of(std::vector<float> values) {
  std::vector<double> result;
  if (values.empty()) return result;
  std::ranges::sort(values);
  for (std::size_t percent = 0; percent <= 100; ++percent) {
    result.push_back(static_cast<double>(values[percent * (values.size() - 1) / 100]));
  }
  return result;
}

std::vector<FeatureError> worst_of(const Vector<double>& errors) {
  constexpr std::size_t kMost = 20;
  std::vector<FeatureError> all;
  for (Index feature = 0; feature < errors.size(); ++feature) {
    all.push_back({.feature = feature, .mean = errors[feature]});
  }
  const std::size_t kept = std::min(kMost, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(kept), std::greater<>(),
                            &FeatureError::mean);
  all.resize(kept);
  return all;
}

Evaluation evaluate_classifier(const ParameterLayout& layout,
                               const ParametersRef<float>& parameters, const Shard& shard,
                               Communicator& comm, Heartbeat* heartbeat, HardSamples* hard) {
  // Round the loss of each block to a multiple of 2^-20: sums of such numbers are exact, so their
  // order does not matter.
  constexpr double kSteps = 0x1p20;
  double errors = 0;
  double loss_steps = 0;
  double samples = 0;
  std::vector<Confusion::Cell> cells;
  for_each_evaluation_block(shard, heartbeat, [&](Range block) {
    const auto records = shard.records(block);
    const auto labels = decode_labels(shard.format(), records);
    Matrix<float> logits = classify(layout, parameters, decode_pixels(shard.format(), records));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == kNoLabel) continue;
      const Index predicted = predicted_class<float>(logits.col(static_cast<Index>(i)));
      cells.push_back({labels[i], static_cast<std::int32_t>(predicted), 1});
      errors += predicted != labels[i] ? 1 : 0;
      samples += 1;
    }
    if (hard != nullptr) hard->add(block.begin, labels, logits);
    loss_steps += std::round(kSteps * softmax_cross_entropy<float>(labels, logits).loss);
  });
  std::array<double, 3> sums = {errors, loss_steps, samples};
  comm.allreduce_sum(sums);

  Evaluation result;
  result.samples = std::llround(sums[2]);
  result.errors = std::llround(sums[0]);
  result.loss = sums[1] / kSteps / static_cast<double>(std::max<Index>(result.samples, 1));
  result.confusion = Confusion(layout.topology().classes, std::move(cells)).gather(comm);
  return result;
}

Evaluation evaluate_autoencoder(const ParameterLayout& layout,
                                const ParametersRef<float>& parameters, const Shard& shard,
                                Communicator& comm, Heartbeat* heartbeat, HardSamples* hard) {
  const Topology& topology = layout.topology();
  const LayerViews& first = layout.hidden(0);
  const auto bias = view_of(parameters.values, first.visible_bias).col(0);
  std::vector<double> losses;          // By block; added up in their order.
  std::vector<double> feature_errors;  // By block and feature, likewise.
  std::vector<float> scores;           // The mean error of each sample.
  Matrix<float> delta;
  Vector<float> bias_gradient(topology.inputs);
  for_each_evaluation_block(shard, heartbeat, [&](Range block) {
    const Matrix<float> inputs = decode_pixels(shard.format(), shard.records(block));
    Matrix<float> logits =
        reconstruction_logits(layout, topology.hidden_layers(), parameters, inputs);
    Matrix<float> values = logits;
    values.colwise() += bias;
    visible_values<float>(first.visible, values);
    const auto squares = (values - inputs).array().square();
    const Vector<double> of_features = squares.cast<double>().rowwise().sum();
    feature_errors.insert(feature_errors.end(), of_features.begin(), of_features.end());
    for (Index j = 0; j < inputs.cols(); ++j) {
      scores.push_back(static_cast<float>(squares.col(j).cast<double>().mean()));
    }
    delta.resize(inputs.rows(), inputs.cols());
    losses.push_back(
        reconstruction_loss<float>(first.visible, bias, inputs, logits, delta, bias_gradient));
  });
  if (hard != nullptr) hard->add(shard.samples().begin, scores);
  losses = comm.allgather_values(std::span<const double>(losses));
  feature_errors = comm.allgather_values(std::span<const double>(feature_errors));
  scores = comm.allgather_values(std::span<const float>(scores));
  Evaluation result;
  result.samples = shard.set_size();
  const auto samples = static_cast<double>(std::max<Index>(result.samples, 1));
  result.loss = std::accumulate(losses.begin(), losses.end(), 0.0) / samples;
  Vector<double> by_feature = Vector<double>::Zero(topology.inputs);
  for (std::size_t begin = 0; begin < feature_errors.size();
       begin += static_cast<std::size_t>(topology.inputs)) {
    by_feature +=
        Eigen::Map<const Vector<double>>(feature_errors.data() + begin, topology.inputs) / samples;
  }
  result.reconstruction = ReconstructionErrors{.mean = by_feature.mean(),
                                               .percentiles = percentiles_of(std::move(scores)),
                                               .worst_features = worst_of(by_feature)};
  return result;
}

}  // namespace

Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat,
                    HardSamples* hard) {
  const auto& function = layout.topology().classes > 0 ? evaluate_classifier : evaluate_autoencoder;
  return function(layout, parameters, shard, comm, heartbeat, hard);
}

}  // namespace sae
