#pragma once

#include "sae/core/types.hpp"

namespace sae {

// Splits a range into nearly equal contiguous parts: sizes differ by at most one, and
// parts are empty where there are more parts than elements. Pure arithmetic on
// purpose: it is tested for every world size without starting MPI.

/// Part `index` of `count`, in order.
Range part_of_range(Range whole, Index index, Index count);

/// As part_of_range, of blocks: each part begins and ends at a multiple of `block`, counted from
/// the begin of the range, or at its end.
Range part_in_blocks(Range whole, Index block, Index index, Index count);

/// The part, of `count`, that holds `element` of the range.
Index part_that_holds(Range whole, Index element, Index count);

}  // namespace sae
