#include "sae/apply/anomalies.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

namespace sae {

float anomaly_threshold(std::vector<float> scores, double contamination) {
  assert(!scores.empty());
  const auto above = static_cast<std::size_t>(contamination * static_cast<double>(scores.size()));
  const auto at = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() - 1 - above);
  std::ranges::nth_element(scores, at);
  return *at;
}

DetectionQuality detection_quality(std::span<const float> scores,
                                   const std::vector<bool>& positive) {
  assert(scores.size() == positive.size());
  DetectionQuality quality;
  quality.samples = static_cast<std::int64_t>(scores.size());
  quality.positive = std::ranges::count(positive, true);
  const auto positives = static_cast<double>(quality.positive);
  const double negatives = static_cast<double>(quality.samples) - positives;
  if (positives == 0 || negatives == 0) {
    quality.roc_auc = quality.average_precision = std::numeric_limits<double>::quiet_NaN();
    return quality;
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double found = 0;  // Positive samples with a larger score.
  double seen = 0;   // All of those.
  double pairs = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    double here = 0;
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) {
      here += positive[order[end++]] ? 1 : 0;
    }
    const double equal = static_cast<double>(end - begin);
    pairs += (equal - here) * (found + here / 2);
    found += here;
    seen += equal;
    quality.average_precision += here / positives * found / seen;
  }
  quality.roc_auc = pairs / (positives * negatives);
  return quality;
}

}  // namespace sae
