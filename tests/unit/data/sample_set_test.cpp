#include "sae/data/sample_set.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace sae {
namespace {

TEST(SampleSet, OfARangeCountsFromItsBegin) {
  const SampleSet set(Split::kTest, {5, 9});
  EXPECT_EQ(set.size(), 4);
  EXPECT_TRUE(set.is_range());
  EXPECT_EQ(set.sample_at(3), 8);
  EXPECT_TRUE(set.contains(5));
  EXPECT_FALSE(set.contains(9));
}

TEST(SampleSet, OfAMaskAndItsRestAreAllSamplesInOrder) {
  for (const Index samples : {1, 63, 64, 65, 1000}) {
    SampleMask mask(samples);
    std::vector<Index> expected[2];
    for (Index sample = 0; sample < samples; ++sample) {
      const bool chosen = sample * sample % 7 < 3;
      if (chosen) mask.set(sample);
      expected[chosen ? 1 : 0].push_back(sample);
    }
    for (const bool value : {false, true}) {
      const SampleSet set(Split::kTrain, mask, value);
      ASSERT_EQ(set.size(), std::ssize(expected[value ? 1 : 0]));
      for (Index position = 0; position < set.size(); ++position) {
        ASSERT_EQ(set.sample_at(position),
                  expected[value ? 1 : 0][static_cast<std::size_t>(position)]);
      }
      for (Index sample = 0; sample < samples; ++sample) {
        ASSERT_EQ(set.contains(sample), mask[sample] == value);
      }
    }
  }
}

TEST(StratifiedDraw, DrawsTheQuotaOfEachClassAndAsOftenOfEachSample) {
  const std::vector<Index> counts = {60, 30, 10};
  const std::vector<Index> quotas = {6, 3, 1};
  std::vector<int> drawn_of_sample(100);
  const auto class_of = [](Index sample) -> std::size_t {
    return sample < 60 ? 0 : sample < 90 ? 1 : 2;
  };
  constexpr int kTimes = 2000;
  for (std::uint64_t seed = 0; seed < kTimes; ++seed) {
    StratifiedDraw draw(seed, RandomPurpose::kValidationSet, counts, quotas);
    std::vector<Index> drawn(3);
    for (Index sample = 0; sample < 100; ++sample) {
      if (!draw.draw(sample, class_of(sample))) continue;
      ++drawn[class_of(sample)];
      ++drawn_of_sample[static_cast<std::size_t>(sample)];
    }
    ASSERT_EQ(drawn, quotas);
  }
  // Each is binomial with mean 200 and standard deviation 13.4.
  for (const int times : drawn_of_sample) EXPECT_NEAR(times, 200, 5 * 13.4);
}

TEST(Quotas, InProportionAddUpAndAreWithinOneOfTheShare) {
  const std::vector<Index> counts = {5923, 6742, 1, 0, 0, 47334};
  for (const Index total : {0, 1, 5, 5000, 59999, 60000, 70000}) {
    const auto quotas = proportional_quotas(counts, total);
    EXPECT_EQ(std::accumulate(quotas.begin(), quotas.end(), Index{0}),
              std::min<Index>(total, 60000));
    for (std::size_t c = 0; c < counts.size(); ++c) {
      EXPECT_LE(quotas[c], counts[c]);
      const double share = static_cast<double>(std::min<Index>(total, 60000)) *
                           static_cast<double>(counts[c]) / 60000;
      EXPECT_LT(std::abs(static_cast<double>(quotas[c]) - share), 1);
    }
  }
}

TEST(Quotas, BalancedAreEqualWhereTheCountsAllowIt) {
  EXPECT_EQ(balanced_quotas({50, 50, 50}, 30), (std::vector<Index>{10, 10, 10}));
  EXPECT_EQ(balanced_quotas({50, 50, 50}, 31), (std::vector<Index>{11, 10, 10}));
  EXPECT_EQ(balanced_quotas({50, 2, 50}, 30), (std::vector<Index>{14, 2, 14}));
  EXPECT_EQ(balanced_quotas({1, 2, 0}, 30), (std::vector<Index>{1, 2, 0}));
}

}  // namespace
}  // namespace sae
