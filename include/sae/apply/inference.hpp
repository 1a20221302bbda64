#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// What is computed of each sample.
enum class Inference { kPredictions, kCodes, kReconstructions };

/// "predictions", "codes" or "reconstructions".
std::string name_of(Inference kind);

struct InferenceSettings {
  Inference kind = Inference::kPredictions;
  Index layers = 0;  ///< Hidden layers that the samples pass up through, at least 1.
  Split split = Split::kTest;
  Range samples;  ///< Of the split.
};

/// Numbers computed of each sample: of the classes, of the units of the layer, or of the pixels.
Index outputs_of(const InferenceSettings& settings, const Topology& topology);

/// What comes of some samples that follow each other.
struct InferenceBlock {
  Range samples;                         ///< In the split.
  Matrix<float> values;                  ///< (outputs, samples): probabilities, codes or pixels.
  std::vector<std::uint16_t> predicted;  ///< The most probable class, if classes are predicted.
  std::vector<std::uint16_t> labels;     ///< Those of the data set; empty if it has none.
};

/// Computes in float32, and gives rank 0's `write` all blocks in the order of the samples. Blocks
/// are cut by the number of a sample, never by rank: any number of ranks gives the same bits. A
/// rank holds two blocks at most. Each is progress for `heartbeat`, which may be null. Ends early
/// once `stop_requested` holds on any rank. Returns how many samples are done, on every rank.
/// Collective. Throws: DataError from the reading rank; what `write` throws, on rank 0.
Index infer(const InferenceSettings& settings, const ParameterLayout& layout,
            const ParametersRef<float>& parameters, DistributedDataset& dataset, Communicator& comm,
            const std::function<void(const InferenceBlock&)>& write,
            const std::function<bool()>& stop_requested, Heartbeat* heartbeat = nullptr);

}  // namespace sae
