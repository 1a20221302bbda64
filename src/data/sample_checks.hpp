#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// Throws: DataError naming `place` (such as "/train/images in 'x.h5'"), sample, pixel and
/// value if a float32 pixel is not in [0, 1]. `pixels` holds whole samples, the first of
/// them `first_sample`.
void check_pixels(std::span<const std::byte> pixels, Index features, Index first_sample,
                  const std::string& place);

/// Throws: DataError naming `place`, sample and value if a label is not in [0, classes).
void check_labels(std::span<const std::int64_t> labels, Index classes, Index first_sample,
                  const std::string& place);

/// What may be wrong where labels of shape `labels` do not fit images of shape `images`, to end a
/// sentence with; empty if nothing is known.
std::string hint_of_order(const std::vector<Index>& images, const std::vector<Index>& labels);

}  // namespace sae
