#include "monitor/event_values.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tensorboard.pb.h"

namespace sae {
namespace {

TEST(AddHistogram, CountsEachValueInTheBucketThatHoldsIt) {
  // 64 buckets of width 1, the last with both of its ends.
  const std::vector<float> values = {0, 0.5f, 1, 1.75f, 63.5f, 64, 64};
  tensorboard::Summary summary;
  add_histogram(summary, "values", values);
  ASSERT_EQ(summary.value_size(), 1);
  EXPECT_EQ(summary.value(0).tag(), "values");
  const tensorboard::Histogram& histogram = summary.value(0).histo();
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 64);
  EXPECT_EQ(histogram.num(), 7);
  EXPECT_EQ(histogram.sum(), 194.75);
  EXPECT_EQ(histogram.sum_squares(), 0.25 + 1 + 1.75 * 1.75 + 63.5 * 63.5 + 2 * 64 * 64);
  ASSERT_EQ(histogram.bucket_size(), 64);
  for (int bucket = 0; bucket < 64; ++bucket) {
    EXPECT_EQ(histogram.bucket_limit(bucket), bucket + 1);
    const double expected = bucket < 2 ? 2 : bucket == 63 ? 3 : 0;
    EXPECT_EQ(histogram.bucket(bucket), expected) << bucket;
  }
}

TEST(AddHistogram, OfEqualValuesHasThemInOneBucket) {
  tensorboard::Summary summary;
  add_histogram(summary, "zeros", std::vector<float>(5, 0.0f));
  EXPECT_EQ(summary.value(0).histo().bucket(0), 5);
}

TEST(AddHistogram, LeavesOutWhatIsEmptyOrNotFinite) {
  tensorboard::Summary summary;
  add_histogram(summary, "empty", {});
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    add_histogram(summary, "not finite", std::vector<float>{1, bad, 2});
  }
  add_scalar(summary, "not a number", std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(summary.value_size(), 0);
}

}  // namespace
}  // namespace sae
