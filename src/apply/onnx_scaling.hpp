#pragma once

#include "onnx_graph.hpp"
#include "sae/data/data_spec.hpp"

namespace sae {

/// Adds what turns samples (samples, features) as they are in a file into inputs of the model, as
/// decode_pixels() and scale() do.
OnnxValue add_scaling(OnnxGraph& graph, const DataSpec& data, const OnnxValue& samples);

/// Adds the inverse: bytes become values from 0 to 255 again.
OnnxValue add_unscaling(OnnxGraph& graph, const DataSpec& data, const OnnxValue& inputs);

}  // namespace sae
