#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sae/data/dataset_file.hpp"

namespace sae {

/// Throws: DataError naming `location` (such as "/train/images in 'x.h5'"), sample, feature and
/// value if a float32 value is not finite. `values` holds whole samples; the first has index
/// `first_sample`.
void check_values(std::span<const std::byte> values, const DatasetInfo& info, Index first_sample,
                  const std::string& location);

/// Throws: DataError naming `location`, sample and value if a label is neither in [0, classes) nor
/// -1.
void check_labels(std::span<const std::int64_t> labels, Index classes, Index first_sample,
                  const std::string& location);

/// A hint at transposed arrays, to append to a message that labels do not fit images; may be empty.
std::string hint_of_order(const std::vector<Index>& images, const std::vector<Index>& labels);

}  // namespace sae
