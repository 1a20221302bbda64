#pragma once

#include <cstddef>

#include "sae/config/configuration.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

namespace tensorboard {
class GraphDef;
}

/// What a stage computes, for TensorBoard's graph view: shapes are (samples, units), -1 for any
/// number of samples. What the stage trains is within the scope "trained", the finished layers
/// below are within "frozen".
tensorboard::GraphDef stage_graph(const Configuration& configuration, const Topology& topology,
                                  std::size_t stage);

}  // namespace sae
