#pragma once

#include <span>
#include <string>
#include <vector>

#include "sae/core/types.hpp"
#include "sae/monitor/grey_picture.hpp"

namespace sae {

// Pictures and curves made of characters in UTF-8.

/// Pictures of one size side by side, a blank between them. Each character is two pixels, one above
/// the other, in two of the 24 greys of a terminal of 256 colours. A line for each two rows.
std::string half_blocks(std::span<const GreyPicture> pictures);

/// A curve in `rows` lines of at most `columns` characters, with its largest and smallest value
/// beside it; where there are more values than columns, each column is the mean of some.
/// Requires: at least one value.
std::string curve(const std::vector<double>& values, Index columns, Index rows);

}  // namespace sae
