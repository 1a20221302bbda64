#include "sae/apply/anomalies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sae {
namespace {

TEST(AnomalyThreshold, IsExceededByTheShareThatIsAskedFor) {
  std::vector<float> scores;
  for (int i = 0; i < 200; ++i) scores.push_back(static_cast<float>(i * 37 % 200));
  for (const double share : {0.01, 0.05, 0.5, 0.999}) {
    const float threshold = anomaly_threshold(scores, share);
    const auto above = std::ranges::count_if(scores, [&](float s) { return s > threshold; });
    EXPECT_EQ(above, static_cast<int>(share * 200));
  }
  EXPECT_EQ(anomaly_threshold({3, 3, 3, 3}, 0.5), 3);
}

// Of sklearn.metrics.roc_auc_score and average_precision_score.
TEST(DetectionQuality, IsThatOfScikitLearn) {
  const std::vector<float> scores = {0.1f, 0.4f, 0.35f, 0.8f, 0.4f, 0.4f, 0.9f, 0.05f};
  const std::vector<bool> positive = {false, false, true, true, true, false, false, false};
  const DetectionQuality quality = detection_quality(scores, positive);
  EXPECT_NEAR(quality.roc_auc, 9.0 / 15, 1e-12);
  EXPECT_NEAR(quality.average_precision, 1.0 / 3 * (1.0 / 2 + 2.0 / 5 + 3.0 / 6), 1e-12);
  EXPECT_EQ(quality.positive, 3);
}

TEST(DetectionQuality, OfOneKindAloneIsNoNumber) {
  EXPECT_TRUE(std::isnan(detection_quality(std::vector<float>{1, 2}, {true, true}).roc_auc));
}

}  // namespace
}  // namespace sae
