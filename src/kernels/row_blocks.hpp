#pragma once

#include <algorithm>
#include <cstdint>

#include "sae/kernels/bfloat16.hpp"

namespace sae {

/// Rows that a thread takes at a time, through all columns: sums over columns and their rounding do
/// not depend on the number of threads.
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
