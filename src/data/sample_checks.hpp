#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// Throws: DataError naming `location` (such as "/train/images in 'x.h5'"), sample, pixel and value
/// if a float32 pixel is not in [0, 1]. `pixels` holds whole samples; the first has index
/// `first_sample`.
void check_pixels(std::span<const std::byte> pixels, Index features, Index first_sample,
                  const std::string& location);

/// Throws: DataError naming `location`, sample and value if a label is not in [0, classes).
void check_labels(std::span<const std::int64_t> labels, Index classes, Index first_sample,
                  const std::string& location);

/// A hint at transposed arrays, to append to a message that labels do not fit images; may be empty.
std::string hint_of_order(const std::vector<Index>& images, const std::vector<Index>& labels);

}  // namespace sae
