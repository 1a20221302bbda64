#include "sae/data/epoch_order.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sae {
namespace {

class EpochOrderOfSize : public testing::TestWithParam<Index> {};

TEST_P(EpochOrderOfSize, IsAPermutationAndKnowsItsInverse) {
  const Index count = GetParam();
  const EpochOrder order(1, 2, 3, count);
  std::vector<bool> seen(static_cast<std::size_t>(count), false);
  for (Index position = 0; position < count; ++position) {
    const Index sample = order.sample_at(position);
    ASSERT_TRUE(0 <= sample && sample < count);
    ASSERT_FALSE(seen[static_cast<std::size_t>(sample)]);
    seen[static_cast<std::size_t>(sample)] = true;
    ASSERT_EQ(order.position_of(sample), position);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, EpochOrderOfSize,
                         testing::Values(1, 2, 3, 4, 5, 97, 55000, 1000003));

TEST(EpochOrder, EachKeyGivesAnother) {
  const Index count = 1000;
  const EpochOrder order(1, 2, 3, count);
  for (const EpochOrder& other :
       {EpochOrder(2, 2, 3, count), EpochOrder(1, 3, 3, count), EpochOrder(1, 2, 4, count)}) {
    Index equal = 0;
    for (Index i = 0; i < count; ++i) equal += order.sample_at(i) == other.sample_at(i) ? 1 : 0;
    EXPECT_LT(equal, 20);  // One is expected of a random permutation.
  }
}

TEST(EpochOrder, SpreadsEachPartOfTheSamplesOverTheEpoch) {
  // Samples of each tenth of the set in each tenth of the epoch: a chi-squared with 81
  // degrees of freedom has mean 81 and standard deviation 13.
  const Index count = 50000;
  for (std::uint32_t epoch = 1; epoch <= 5; ++epoch) {
    const EpochOrder order(7, 0, epoch, count);
    Matrix<double> hits = Matrix<double>::Zero(10, 10);
    for (Index i = 0; i < count; ++i) hits(i * 10 / count, order.sample_at(i) * 10 / count) += 1;
    const double expected = static_cast<double>(count) / 100;
    const double chi_squared = (hits.array() - expected).square().sum() / expected;
    EXPECT_LT(chi_squared, 81 + 5 * 13);
    EXPECT_GT(chi_squared, 81 - 5 * 13);
  }
}

TEST(EpochOrder, NeighboursAreUnrelated) {
  // The mean distance of neighbours in a random permutation is a third of the count.
  const Index count = 55000;
  const EpochOrder order(1, 0, 1, count);
  double distance = 0;
  for (Index i = 1; i < count; ++i) {
    distance += std::abs(static_cast<double>(order.sample_at(i) - order.sample_at(i - 1)));
  }
  EXPECT_NEAR(distance / static_cast<double>(count - 1) / static_cast<double>(count), 1.0 / 3,
              0.01);
}

}  // namespace
}  // namespace sae
