#include "sae/model/noise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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

/// What becomes of a large sample of `value`s.
Matrix<float> corrupted(const Noise& noise, float value, const Matrix<float>& donors = {}) {
  Matrix<float> x = Matrix<float>::Constant(20000, 1, value);
  corrupt<float>(noise, kKey, std::vector<std::uint32_t>{7}, x, x, donors);
  return x;
}

TEST(SaltAndPepperNoise, SetsHalfOfWhatItChangesToZeroAndHalfToOne) {
  const Matrix<float> x = corrupted({NoiseKind::kSaltAndPepper, 0.3}, 0.25f);
  const auto share = [&](float value) {
    return static_cast<double>((x.array() == value).count()) / static_cast<double>(x.size());
  };
  EXPECT_NEAR(share(0), 0.15, 0.01);
  EXPECT_NEAR(share(1), 0.15, 0.01);
  EXPECT_NEAR(share(0.25f), 0.7, 0.013);
}

TEST(GaussianNoise, IsNormalWithTheLevelAsItsDeviation) {
  Matrix<float> x = corrupted({NoiseKind::kGaussian, 0.5}, 2);
  const double mean = x.cast<double>().mean();
  EXPECT_NEAR(mean, 2, 0.02);
  EXPECT_NEAR(std::sqrt((x.cast<double>().array() - mean).square().mean()), 0.5, 0.01);
  std::sort(x.data(), x.data() + x.size());
  // Quantiles of the normal distribution at 1 %, 16 % and 97.5 %.
  EXPECT_NEAR(x(200), 2 - 0.5f * 2.3263f, 0.05f);
  EXPECT_NEAR(x(3173), 2 - 0.5f, 0.02f);
  EXPECT_NEAR(x(19500), 2 + 0.5f * 1.96f, 0.03f);
}

TEST(SwapNoise, TakesValuesOfTheSameUnitFromAllDonors) {
  Matrix<float> donors(20000, 4);
  for (Index unit = 0; unit < donors.rows(); ++unit) {
    for (Index donor = 0; donor < 4; ++donor) {
      donors(unit, donor) = static_cast<float>(4 * unit + donor);
    }
  }
  const Matrix<float> x = corrupted({NoiseKind::kSwap, 0.4}, -1, donors);
  std::array<Index, 4> taken{};
  for (Index unit = 0; unit < x.size(); ++unit) {
    if (x(unit) < 0) continue;
    ASSERT_EQ(static_cast<Index>(x(unit)) / 4, unit);
    ++taken[static_cast<std::size_t>(x(unit)) % 4];
  }
  for (const Index times : taken) EXPECT_NEAR(static_cast<double>(times), 2000, 150);
  EXPECT_EQ(corrupted({NoiseKind::kSwap, 0.4}, -1), Matrix<float>::Constant(20000, 1, -1));
}

TEST(Noise, OfEachKindDependsOnSampleEpochAndStageAndOnNothingElse) {
  Matrix<float> donors = Matrix<float>::Random(50, 9);
  for (const auto& [name, kind, description] : noise_kinds()) {
    SCOPED_TRACE(name);
    const Matrix<float> x = Matrix<float>::Random(50, 3);
    const auto noisy = [&](const NoiseKey& key, std::vector<std::uint32_t> samples,
                           const Matrix<float>& of) {
      Matrix<float> result(of.rows(), of.cols());
      corrupt<float>({kind, 0.5}, key, samples, of, result, donors);
      return result;
    };
    const Matrix<float> whole = noisy(kKey, {4, 8, 5}, x);
    EXPECT_EQ(noisy(kKey, {8}, x.col(1)), whole.col(1));
    EXPECT_NE(noisy(kKey, {9}, x.col(1)), whole.col(1));
    NoiseKey other = kKey;
    ++other.epoch;
    EXPECT_NE(noisy(other, {8}, x.col(1)), whole.col(1));
  }
}

}  // namespace
}  // namespace sae
