#pragma once

#include <span>

#include "sae/core/types.hpp"

namespace sae {

// Conversions of whole vectors. Spans of one call have one size.

/// rounded = the nearest bfloat16 of each value, of two equally near the even one; not a number
/// stays so.
void round_to_bfloat16(std::span<const float> values, std::span<bfloat16> rounded);

/// sum = values, and sum += values. Exact but for the addition.
void widen(std::span<const bfloat16> values, std::span<float> sum);
void add_widened(std::span<const bfloat16> values, std::span<float> sum);

}  // namespace sae
