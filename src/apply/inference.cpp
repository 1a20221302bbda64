#include "sae/apply/inference.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "sae/core/partition.hpp"
#include "sae/kernels/elementwise.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

/// Samples per block: enough for fast products, fewer for wide layers to bound memory. Depends on
/// the model only.
Index samples_of_block(const Topology& topology) {
  constexpr Index kSamples = 512;
  constexpr Index kElements = Index{1} << 24;
  const Index widest = std::max({topology.inputs, topology.classes, topology.widest()});
  return std::clamp<Index>(kElements / widest, 1, kSamples);
}

/// Replaces logits by probabilities; returns the predicted class of each sample.
std::vector<std::uint16_t> softmax(Matrix<float>& logits) {
  std::vector<std::uint16_t> predicted;
  for (Index j = 0; j < logits.cols(); ++j) {
    predicted.push_back(static_cast<std::uint16_t>(predicted_class<float>(logits.col(j))));
    log_softmax<float>(logits.col(j));
    logits.col(j) = logits.col(j).array().exp();
  }
  return predicted;
}

/// Replaces reconstructions by the mean of their squared errors, and those of each feature if asked
/// for.
void score(const InferenceSettings& settings, const Matrix<float>& inputs, Matrix<float>& values) {
  const Matrix<float> errors = (values - inputs).array().square();
  values.resize(settings.per_feature ? 1 + errors.rows() : 1, errors.cols());
  values.row(0) = errors.cast<double>().colwise().mean().cast<float>();
  if (settings.per_feature) values.bottomRows(errors.rows()) = errors;
}

InferenceBlock compute(const InferenceSettings& settings, const Scaling& scaling,
                       const ParameterLayout& layout, const ParametersRef<float>& parameters,
                       const Shard& shard, bool has_labels) {
  const Range samples = shard.samples();
  InferenceBlock block;
  Matrix<float> inputs = decode_pixels(shard.format(), shard.records(samples));
  scale(scaling, inputs);
  if (has_labels) block.labels = decode_labels(shard.format(), shard.records(samples));
  switch (settings.kind) {
    case Inference::kPredictions:
      block.values = classify(layout, parameters, std::move(inputs));
      block.predicted = softmax(block.values);
      break;
    case Inference::kCodes:
      block.values = encode<float>(layout, {0, settings.layers}, parameters, std::move(inputs));
      break;
    case Inference::kReconstructions:
    case Inference::kScores:
      block.values = encode<float>(layout, {0, settings.layers}, parameters, inputs);
      block.values = decode(layout, settings.layers, parameters, std::move(block.values));
      if (settings.kind == Inference::kScores) {
        score(settings, inputs, block.values);
      } else {
        unscale(scaling, block.values);
      }
      break;
  }
  return block;
}

std::span<float> elements_of(Matrix<float>& matrix) {
  return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

void send(InferenceBlock& block, Communicator& comm) {
  comm.send(std::as_bytes(elements_of(block.values)), 0);
  comm.send(std::as_bytes(std::span(block.predicted)), 0);
  comm.send(std::as_bytes(std::span(block.labels)), 0);
}

}  // namespace

std::string name_of(Inference kind) {
  return kind == Inference::kPredictions ? "predictions"
         : kind == Inference::kCodes     ? "codes"
         : kind == Inference::kScores    ? "scores"
                                         : "reconstructions";
}

Index outputs_of(const InferenceSettings& settings, const Topology& topology) {
  return settings.kind == Inference::kPredictions ? topology.classes
         : settings.kind == Inference::kCodes     ? topology.inputs_of(settings.layers)
         : settings.kind == Inference::kScores    ? 1 + (settings.per_feature ? topology.inputs : 0)
                                                  : topology.inputs;
}

Index infer(const InferenceSettings& settings, const DataSpec& data, const ParameterLayout& layout,
            const ParametersRef<float>& parameters, DistributedDataset& dataset, Communicator& comm,
            const std::function<void(const InferenceBlock&)>& write,
            const std::function<bool()>& stop_requested, Heartbeat* heartbeat) {
  const Range all{0, settings.samples.size()};
  const Index outputs = outputs_of(settings, layout.topology());
  const Index length = samples_of_block(layout.topology());
  const bool has_labels = dataset.info().has_labels(settings.samples.split());

  // Each round, at most one block per rank.
  for (Range round{0, 0}; round.begin < all.end; round.begin = round.end) {
    round.end = std::min(round.begin + length * comm.size(), all.end);
    const auto block_of = [&](int rank) {
      return part_in_blocks(round, length, rank, comm.size());
    };
    InferenceBlock block;
    if (const Shard shard = dataset.load_shard(settings.samples, round, length);
        shard.samples().size() > 0) {
      block = compute(settings, data.scaling, layout, parameters, shard, has_labels);
    }
    beat(heartbeat);
    // After the block is computed: other ranks compute while rank 0 still writes.
    if (comm.any(stop_requested())) return round.begin;
    if (!comm.is_root()) {
      if (block_of(comm.rank()).size() > 0) send(block, comm);
      continue;
    }
    for (int rank = 0; rank < comm.size(); ++rank) {
      const Range here = block_of(rank);
      if (here.size() == 0) continue;
      if (rank > 0) {
        const auto count = static_cast<std::size_t>(here.size());
        block.values.resize(outputs, here.size());
        block.predicted.resize(settings.kind == Inference::kPredictions ? count : 0);
        block.labels.resize(has_labels ? count : 0);
        comm.receive(std::as_writable_bytes(elements_of(block.values)), rank);
        comm.receive(std::as_writable_bytes(std::span(block.predicted)), rank);
        comm.receive(std::as_writable_bytes(std::span(block.labels)), rank);
      }
      block.positions = here;
      write(block);
      beat(heartbeat);
    }
  }
  return all.size();
}

}  // namespace sae
