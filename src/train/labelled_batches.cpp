#include "sae/train/labelled_batches.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "sae/core/partition.hpp"
#include "sae/data/epoch_order.hpp"

namespace sae {
namespace {

/// In place of a stage in the keys of their order.
constexpr std::uint32_t kLabelledStage = 65534;
/// Sets the keys of their noise apart from those of the other samples.
constexpr std::uint32_t kDrawn = std::uint32_t{1} << 31;

Shard gathered(const Shard& shard, Communicator& comm) {
  Shard all(shard.format(), shard.set_size(), {0, shard.set_size()});
  const auto records = comm.allgather_values(shard.records(shard.samples()));
  std::ranges::copy(records, all.records({0, shard.set_size()}).begin());
  return all;
}

}  // namespace

LabelledBatches::LabelledBatches(const Shard& labelled, Index size, std::uint64_t seed,
                                 Communicator& comm)
    : all_(gathered(labelled, comm)),
      size_(size),
      seed_(seed),
      rank_(comm.rank()),
      ranks_(comm.size()) {}

void LabelledBatches::prepend(Index update, Minibatch<float>& minibatch) const {
  const Range drawn = part_of_range({update * size_, (update + 1) * size_}, rank_, ranks_);
  const Index count = all_.set_size();
  Matrix<float> inputs(minibatch.inputs.rows(), drawn.size() + minibatch.size());
  inputs.rightCols(minibatch.size()) = minibatch.inputs;
  std::vector<std::uint16_t> labels;
  std::vector<std::uint32_t> samples;
  for (Index draw = drawn.begin; draw < drawn.end; ++draw) {
    const EpochOrder order(seed_, kLabelledStage, static_cast<std::uint32_t>(draw / count), count);
    const auto record = all_.record(order.sample_at(draw % count));
    decode_pixels(all_.format(), record,
                  {inputs.col(draw - drawn.begin).data(), static_cast<std::size_t>(inputs.rows())});
    labels.push_back(decode_label(all_.format(), record));
    samples.push_back(static_cast<std::uint32_t>(draw) | kDrawn);
  }
  labels.insert(labels.end(), minibatch.labels.begin(), minibatch.labels.end());
  samples.insert(samples.end(), minibatch.samples.begin(), minibatch.samples.end());
  minibatch.inputs = std::move(inputs);
  minibatch.labels = std::move(labels);
  minibatch.samples = std::move(samples);
  minibatch.besides = drawn.size();
  minibatch.global_besides = size_;
}

}  // namespace sae
