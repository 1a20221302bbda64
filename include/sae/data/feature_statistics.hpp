#pragma once

#include <functional>
#include <span>

#include "sae/data/dataset_file.hpp"

namespace sae {

/// A value so many times the median magnitude of its feature is worth a word.
inline constexpr float kOutlierFactor = 1e6f;

/// A feature over all samples of a split, in the numbers of the file: bytes are not divided.
struct FeatureStatistics {
  float least = 0;
  float most = 0;
  double mean = 0;
  /// The power of two at or below the median of the magnitudes that are not 0; 0 if there are none.
  float median_magnitude = 0;

  bool is_constant() const { return least == most; }
  /// Whether a magnitude is more than `factor` times the median.
  bool has_outlier(float factor) const;
};

/// Calls `action` with the number of the first feature and the statistics of a group of features,
/// in their order. Reads the split once for each group, so that memory is bounded. Throws: as
/// DatasetFile.
void for_each_feature_group(
    const DatasetFile& file, Split split,
    const std::function<void(Index, std::span<const FeatureStatistics>)>& action);

}  // namespace sae
