#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/data_spec.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// What is computed for each sample.
enum class Inference { kPredictions, kCodes, kReconstructions, kScores };

/// "predictions", "codes", "reconstructions" or "scores".
std::string name_of(Inference kind);

struct InferenceSettings {
  Inference kind = Inference::kPredictions;
  Index layers = 0;  ///< Hidden layers to encode through, at least 1.
  SampleSet samples;
  bool per_feature = false;             ///< Of kScores: also the error of each feature.
  std::optional<float> threshold = {};  ///< Of kScores: a larger score is an anomaly.
};

/// Values per sample: the number of classes, of the layer's units, or of features; of scores 1, and
/// one for each feature if asked for.
Index outputs_of(const InferenceSettings& settings, const Topology& topology);

/// Results for consecutive samples of a set.
struct InferenceBlock {
  Range positions;                       ///< In the set.
  Matrix<float> values;                  ///< (outputs, samples).
  std::vector<std::uint16_t> predicted;  ///< The most probable class; empty unless kPredictions.
  std::vector<std::uint16_t> labels;     ///< From the data set; empty if it has none.
};

/// Applies the model in float32; rank 0 passes all blocks to `write` in the order of the samples.
/// Inputs are scaled as `data` says. Reconstructions are scaled back to what the data set holds;
/// the score of a sample is the mean squared error of its scaled inputs. Blocks depend on sample
/// numbers, never on ranks, so any number of ranks gives the same bits. A rank holds at most two
/// blocks. Each block beats `heartbeat`, which may be null. Stops early once `stop_requested` is
/// true on any rank. Returns the number of samples done, on every rank.
/// Collective. Throws: DataError on the reading rank; what `write` throws, on rank 0.
Index infer(const InferenceSettings& settings, const DataSpec& data, const ParameterLayout& layout,
            const ParametersRef<float>& parameters, DistributedDataset& dataset, Communicator& comm,
            const std::function<void(const InferenceBlock&)>& write,
            const std::function<bool()>& stop_requested, Heartbeat* heartbeat = nullptr);

}  // namespace sae
