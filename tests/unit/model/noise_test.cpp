#include "sae/model/noise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sae {
namespace {

const NoiseKey kKey{.seed = 1, .stage = 0, .epoch = 1};

Matrix<float> masked(const NoiseKey& key, double level, const std::vector<std::uint32_t>& samples,
                     Index units = 784) {
  Matrix<float> x = Matrix<float>::Ones(units, static_cast<Index>(samples.size()));
  corrupt<float>({.level = level}, key, samples, x, x);
  return x;
}

TEST(MaskingNoise, ZeroesTheShareOfTheLevelAndLeavesTheRest) {
  const std::vector<std::uint32_t> samples = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (const double level : {0.0, 0.1, 0.5, 0.9}) {
    const Matrix<float> x = masked(kKey, level, samples, 10007);
    EXPECT_TRUE((x.array() == 0 || x.array() == 1).all());
    // Five standard deviations of a binomial share of 100,070 units.
    EXPECT_NEAR(x.mean(), 1 - level, 5 * std::sqrt(level * (1 - level) / 100070) + 1e-6);
  }
}

TEST(MaskingNoise, OfASampleDoesNotDependOnItsNeighboursOrPlace) {
  const Matrix<float> together = masked(kKey, 0.5, {7, 42, 9});
  const Matrix<float> alone = masked(kKey, 0.5, {42});
  EXPECT_EQ(together.col(1), alone.col(0));
}

TEST(MaskingNoise, OfAUnitDoesNotDependOnTheNumberOfUnits) {
  EXPECT_EQ(masked(kKey, 0.5, {3}, 784).topRows(101), masked(kKey, 0.5, {3}, 101));
}

TEST(MaskingNoise, EachPartOfTheKeyChangesIt) {
  const Matrix<float> x = masked(kKey, 0.5, {3});
  for (const NoiseKey& other : {NoiseKey{2, 0, 1}, NoiseKey{1, 1, 1}, NoiseKey{1, 0, 2}}) {
    // Two independent masks of one half agree on half of the 784 units, give or take 14.
    const auto equal = (masked(other, 0.5, {3}).array() == x.array()).count();
    EXPECT_NEAR(static_cast<double>(equal), 392, 5 * 14);
  }
}

TEST(MaskingNoise, IsTheSameInFloatAndDouble) {
  Matrix<double> x = Matrix<double>::Ones(784, 1);
  corrupt<double>({.level = 0.3}, kKey, std::vector<std::uint32_t>{3}, x, x);
  EXPECT_EQ(x.cast<float>(), masked(kKey, 0.3, {3}));
}

}  // namespace
}  // namespace sae
