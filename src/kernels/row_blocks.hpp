#pragma once

#include <algorithm>
#include <cstdint>

#include "sae/kernels/bfloat16.hpp"

namespace sae {

/// Rows of a block. One thread processes all columns of a block, so sums over columns have the same
/// bits for any number of threads.
inline constexpr Index kRows = 128;

inline Index row_blocks(Index rows) { return (rows + kRows - 1) / kRows; }

inline Range rows_of_block(Index block, Index rows) {
  return {block * kRows, std::min((block + 1) * kRows, rows)};
}

/// Writes a value as an element, or as the bits of a bfloat16.
inline void store(float value, std::uint16_t& bits) { bits = rounded_bits(value); }
template <typename T>
void store(T value, T& element) {
  element = value;
}

}  // namespace sae
