#include "sae/train/evaluation.hpp"

#include <algorithm>
#include <cmath>

#include "sae/kernels/elementwise.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {

Evaluation evaluate(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                    const Shard& shard, Communicator& comm, Heartbeat* heartbeat,
                    HardSamples* hard) {
  constexpr Index kBlock = 250;  // Samples at once: bounds the memory of the activations.
  const Topology& topology = layout.topology();
  const auto classes = static_cast<std::size_t>(topology.classes);
  // The confusion matrix, then the loss: added over ranks in one call.
  std::vector<double> sums(classes * classes + 1, 0.0);
  std::vector<std::uint16_t> labels;
  for (Index begin = shard.samples().begin; begin < shard.samples().end; begin += kBlock) {
    const Range block{begin, std::min(begin + kBlock, shard.samples().end)};
    Matrix<float> inputs(topology.inputs, block.size());
    labels.clear();
    for (Index sample = block.begin; sample < block.end; ++sample) {
      decode_pixels(shard.format(), shard.record(sample),
                    {inputs.col(sample - begin).data(), static_cast<std::size_t>(topology.inputs)});
      labels.push_back(decode_label(shard.format(), shard.record(sample)));
    }
    Matrix<float> logits = classify(layout, parameters, std::move(inputs));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const Index predicted = predicted_class<float>(logits.col(static_cast<Index>(i)));
      sums[labels[i] * classes + static_cast<std::size_t>(predicted)] += 1;
    }
    if (hard != nullptr) hard->add(block.begin, labels, logits);
    sums.back() += softmax_cross_entropy<float>(labels, logits).loss;
    beat(heartbeat);
  }
  comm.allreduce_sum(sums);

  Evaluation result;
  result.confusion.resize(classes * classes);
  for (std::size_t i = 0; i < result.confusion.size(); ++i) {
    result.confusion[i] = std::llround(sums[i]);
    result.samples += result.confusion[i];
    if (i / classes != i % classes) result.errors += result.confusion[i];
  }
  result.loss = sums.back() / static_cast<double>(std::max<Index>(result.samples, 1));
  return result;
}

}  // namespace sae
