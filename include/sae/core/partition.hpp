#pragma once

#include "sae/core/types.hpp"

namespace sae {

// Splits a range into contiguous parts whose sizes differ by at most one; parts may be empty. Pure
// arithmetic on purpose: it is tested for every world size without starting MPI.

/// Part `index` of `count`.
Range part_of_range(Range whole, Index index, Index count);

/// As part_of_range, in units of `block` elements: each part begins and ends a multiple of `block`
/// after whole.begin, or at whole.end.
Range part_in_blocks(Range whole, Index block, Index index, Index count);

/// The index of the part, of `count`, that holds `element`.
Index part_that_holds(Range whole, Index element, Index count);

}  // namespace sae
