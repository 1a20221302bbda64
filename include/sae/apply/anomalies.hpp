#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sae {

/// The score that a share `contamination`, in (0, 1), of the scores exceeds: the largest quantile
/// that leaves at most so many above it. Requires: there are scores.
float anomaly_threshold(std::vector<float> scores, double contamination);

/// How well scores tell positive samples from negative ones.
struct DetectionQuality {
  double roc_auc = 0;  ///< Share of pairs, one of each, of which the positive has the larger score;
                       ///< equal scores count half.
  double average_precision = 0;  ///< The sum over recalls of (R_n - R_(n-1)) P_n.
  std::int64_t positive = 0;
  std::int64_t samples = 0;
};

/// Both figures are NaN unless there are samples of both kinds.
DetectionQuality detection_quality(std::span<const float> scores,
                                   const std::vector<bool>& positive);

}  // namespace sae
