#include "layer_statistics.hpp"

#include <algorithm>
#include <vector>

#include "sae/data/epoch_order.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

/// In place of a stage in the key that draws the samples.
constexpr std::uint32_t kStatisticsStage = 65533;

/// This rank's part of the samples, in blocks.
template <typename T>
std::vector<Matrix<T>> sample_blocks(const Shard& training, std::uint64_t seed,
                                     const Distorter* distorter) {
  constexpr std::size_t kBlock = 500;
  const Index size = training.set_size();
  const EpochOrder order(seed, kStatisticsStage, 0, size);
  std::vector<Index> chosen;
  for (Index i = 0; i < std::min(size, kStatisticsSamples); ++i) {
    const Index sample = order.sample_at(i);
    if (training.samples().contains(sample)) chosen.push_back(sample);
  }
  std::ranges::sort(chosen);
  std::vector<Matrix<T>> blocks;
  for (std::size_t begin = 0; begin < chosen.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, chosen.size() - begin);
    Matrix<float> block(training.format().features, static_cast<Index>(count));
    for (std::size_t i = 0; i < count; ++i) {
      auto column = block.col(static_cast<Index>(i));
      decode_pixels(training.format(), training.record(chosen[begin + i]),
                    {column.data(), static_cast<std::size_t>(column.size())});
    }
    if (distorter != nullptr) {
      const std::vector<std::uint32_t> keys(
          chosen.begin() + static_cast<std::ptrdiff_t>(begin),
          chosen.begin() + static_cast<std::ptrdiff_t>(begin + count));
      distorter->distort({.seed = seed, .stage = kStatisticsStage}, keys, block);
    }
    convert<T>(block, blocks.emplace_back());
  }
  return blocks;
}

/// Mean and variance of the units of a layer over the samples of all ranks.
template <typename T>
Moments measure_layer(const LayerViews& views, const ParametersRef<float>& parameters,
                      const std::vector<Matrix<T>>& blocks, Communicator& comm,
                      Heartbeat* heartbeat) {
  const Index units = views.weights.rows;
  std::vector<double> sums(static_cast<std::size_t>(2 * units) + 1, 0.0);  // The last their count.
  Matrix<float> logits;
  for (const Matrix<T>& block : blocks) {
    logits.resize(units, block.cols());
    multiply<T, float>(view_of(elements_of<T>(parameters), views.weights), block, logits);
    add_row_sums<float>(logits, logits, sums);
    sums.back() += static_cast<double>(block.cols());
    beat(heartbeat);
  }
  comm.allreduce_sum(std::span(sums));
  return moments_of(std::span(sums).first(sums.size() - 1), sums.back());
}

template <typename T>
void update(const ParameterLayout& layout, Range layers, const Shard& training, std::uint64_t seed,
            const Distorter* distorter, std::span<float> parameters, GradientAveraging& averaging,
            Communicator& comm, Heartbeat* heartbeat) {
  std::vector<Matrix<T>> blocks = sample_blocks<T>(training, seed, distorter);
  std::vector<bfloat16> rounded;
  if constexpr (std::is_same_v<T, bfloat16>) {
    rounded.resize(parameters.size());
    round_to_bfloat16(parameters, rounded);
  }
  const ParametersRef<float> ref(parameters, rounded);
  for (Index layer = 0; layer < layers.end; ++layer) {
    const LayerViews& views = layout.layer(layer);
    if (layer >= layers.begin) {
      const Moments moments = measure_layer<T>(views, ref, blocks, comm, heartbeat);
      averaging.set_array(parameters, views.mean, moments.mean.cast<float>());
      averaging.set_array(parameters, views.variance, moments.variance.cast<float>());
    }
    if (layer == layout.topology().hidden_layers()) return;
    for (Matrix<T>& block : blocks) {
      block = encode<T>(layout, {layer, layer + 1}, ref, std::move(block));
      beat(heartbeat);
    }
  }
}

}  // namespace

void update_statistics(const ParameterLayout& layout, Range layers, const Shard& training,
                       const Configuration& configuration, const Distorter* distorter,
                       std::span<float> parameters, GradientAveraging& averaging,
                       Communicator& comm, Heartbeat* heartbeat) {
  if (layout.topology().normalization != Normalization::kBatch) return;
  const auto& function =
      precision_of(configuration) == Precision::kBfloat16 ? update<bfloat16> : update<float>;
  function(layout, layers, training, configuration.seed, distorter, parameters, averaging, comm,
           heartbeat);
}

}  // namespace sae
