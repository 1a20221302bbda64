#include "sae/train/evaluation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "sae/kernels/elementwise.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat,
                    HardSamples* hard) {
  // Round the loss of each block to a multiple of 2^-20: sums of such numbers are exact, so their
  // order does not matter.
  constexpr double kSteps = 0x1p20;
  const Topology& topology = layout.topology();
  double errors = 0;
  double loss_steps = 0;
  std::vector<Confusion::Cell> cells;
  for (Index begin = shard.samples().begin; begin < shard.samples().end;
       begin += kEvaluationBlock) {
    const Range block{begin, std::min(begin + kEvaluationBlock, shard.samples().end)};
    const auto records = shard.records(block);
    const auto labels = decode_labels(shard.format(), records);
    Matrix<float> logits = classify(layout, parameters, decode_pixels(shard.format(), records));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const Index predicted = predicted_class<float>(logits.col(static_cast<Index>(i)));
      cells.push_back({labels[i], static_cast<std::int32_t>(predicted), 1});
      errors += predicted != labels[i] ? 1 : 0;
    }
    if (hard != nullptr) hard->add(block.begin, labels, logits);
    loss_steps += std::round(kSteps * softmax_cross_entropy<float>(labels, logits).loss);
    beat(heartbeat);
  }
  std::array<double, 2> sums = {errors, loss_steps};
  comm.allreduce_sum(sums);

  Evaluation result;
  result.samples = shard.set_size();
  result.errors = std::llround(sums[0]);
  result.loss = sums[1] / kSteps / static_cast<double>(std::max<Index>(result.samples, 1));
  result.confusion = Confusion(topology.classes, std::move(cells)).gather(comm);
  return result;
}

}  // namespace sae
