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

}  // namespace sae
