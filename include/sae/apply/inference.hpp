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

/// What is computed for each sample.
enum class Inference { kPredictions, kCodes, kReconstructions };

/// "predictions", "codes" or "reconstructions".
std::string name_of(Inference kind);

struct InferenceSettings {
  Inference kind = Inference::kPredictions;
  Index layers = 0;  ///< Hidden layers to encode through, at least 1.
  Split split = Split::kTest;
  Range samples;  ///< Of the split.
};

/// Values per sample: the number of classes, of the layer's units, or of pixels.
Index outputs_of(const InferenceSettings& settings, const Topology& topology);

/// Results for consecutive samples.
struct InferenceBlock {
  Range samples;                         ///< In the split.
  Matrix<float> values;                  ///< (outputs, samples): probabilities, codes or pixels.
  std::vector<std::uint16_t> predicted;  ///< The most probable class; empty unless kPredictions.
  std::vector<std::uint16_t> labels;     ///< From the data set; empty if it has none.
};

/// Applies the model in float32; rank 0 passes all blocks to `write` in the order of the samples.
/// Blocks depend on sample numbers, never on ranks, so any number of ranks gives the same bits. A
/// rank holds at most two blocks. Each block beats `heartbeat`, which may be null. Stops early once
/// `stop_requested` is true on any rank. Returns the number of samples done, on every rank.
/// Collective. Throws: DataError on the reading rank; what `write` throws, on rank 0.
Index infer(const InferenceSettings& settings, const ParameterLayout& layout,
            const ParametersRef<float>& parameters, DistributedDataset& dataset, Communicator& comm,
            const std::function<void(const InferenceBlock&)>& write,
            const std::function<bool()>& stop_requested, Heartbeat* heartbeat = nullptr);

}  // namespace sae
