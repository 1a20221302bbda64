#pragma once

#include <span>

#include "sae/model/parameter_layout.hpp"

namespace sae {

// What is left of a trained network when it is applied: batch normalisation becomes part of
// weights and biases, and a decoder that needs more than the codes is left out.

/// The network; the same if there is nothing to do.
Topology finished(const Topology& topology);

/// Its parameters, in the layout of that network, from those of `layout`.
Vector<float> finished(const ParameterLayout& layout, std::span<const float> parameters);

}  // namespace sae
