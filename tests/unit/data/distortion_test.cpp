#include "sae/data/distortion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace sae {
namespace {

constexpr Index kSide = 28;

/// A disc a little off the middle.
Matrix<float> disc(Index count) {
  Matrix<float> images(kSide * kSide, count);
  for (Index row = 0; row < kSide; ++row) {
    for (Index column = 0; column < kSide; ++column) {
      const auto x = static_cast<float>(column) - 15;
      const auto y = static_cast<float>(row) - 12;
      images.row(row * kSide + column).setConstant(x * x + y * y < 40 ? 1.0F : 0.0F);
    }
  }
  return images;
}

/// (column, row) of the centre of mass.
std::pair<double, double> centre(const Matrix<float>& image) {
  double mass = 0;
  double x = 0;
  double y = 0;
  for (Index i = 0; i < image.size(); ++i) {
    const auto value = static_cast<double>(image(i));
    mass += value;
    x += value * static_cast<double>(i % kSide);
    y += value * static_cast<double>(i / kSide);
  }
  return {x / mass, y / mass};
}

TEST(Distortion, OfNothingChangesNothing) {
  Matrix<float> images = disc(2);
  const Distorter nothing({}, kSide, kSide);
  nothing.distort({.seed = 1, .epoch = 1}, std::vector<std::uint32_t>{3, 4}, images);
  EXPECT_LT((images - disc(2)).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(Distortion, DependsOnKeyAndSampleAlone) {
  const Distorter distorter({.rotation = 15, .zoom = 0.15, .shear = 0.1, .shift = 2, .elastic = 36},
                            kSide, kSide);
  const std::vector<std::uint32_t> samples = {3, 4, 9};
  Matrix<float> all = disc(3);
  distorter.distort({.seed = 1, .stage = 2, .epoch = 5}, samples, all);
  for (Index j = 0; j < 3; ++j) {
    Matrix<float> alone = disc(1);
    distorter.distort({.seed = 1, .stage = 2, .epoch = 5},
                      std::vector{samples[static_cast<std::size_t>(j)]}, alone);
    EXPECT_EQ(alone.col(0), all.col(j));
  }
  EXPECT_NE(all.col(0), all.col(1));
  for (const DistortionKey& other : {DistortionKey{2, 2, 5}, {1, 3, 5}, {1, 2, 6}}) {
    Matrix<float> images = disc(3);
    distorter.distort(other, samples, images);
    EXPECT_NE(images, all);
  }
}

TEST(Distortion, ShiftsByAtMostSoManyPixelsInAllDirections) {
  const Distorter distorter({.shift = 3}, kSide, kSide);
  double least = 0;
  double most = 0;
  const auto [x, y] = centre(disc(1));
  for (std::uint32_t sample = 0; sample < 200; ++sample) {
    Matrix<float> image = disc(1);
    distorter.distort({.seed = 1, .epoch = 1}, std::vector{sample}, image);
    const auto [to_x, to_y] = centre(image);
    for (const double moved : {to_x - x, to_y - y}) {
      least = std::min(least, moved);
      most = std::max(most, moved);
    }
    EXPECT_NEAR(image.sum(), disc(1).sum(), 1e-2);
  }
  EXPECT_GT(least, -3.01);
  EXPECT_LT(least, -2.7);
  EXPECT_LT(most, 3.01);
  EXPECT_GT(most, 2.7);
}

TEST(Distortion, RotatesAroundTheMiddle) {
  const Distorter distorter({.rotation = 90}, kSide, kSide);
  const auto [x, y] = centre(disc(1));
  const double radius = std::hypot(x - 13.5, y - 13.5);
  for (std::uint32_t sample = 0; sample < 50; ++sample) {
    Matrix<float> image = disc(1);
    distorter.distort({.seed = 1, .epoch = 1}, std::vector{sample}, image);
    const auto [to_x, to_y] = centre(image);
    EXPECT_NEAR(std::hypot(to_x - 13.5, to_y - 13.5), radius, 0.1);
  }
}

/// A field of values within +-1, each varying by 1/3, smoothed by a Gaussian, varies by
/// 1/3 / (4 pi sigma^2) far from the border.
TEST(Distortion, MovesElasticallyAsFarAsASmoothedFieldDoes) {
  constexpr std::uint32_t kSamples = 2000;
  constexpr Index kWide = 40;
  for (const double sigma : {1.5, 5.0}) {
    const Distorter distorter({.elastic = 10 * sigma, .elastic_sigma = sigma}, kWide, kWide);
    Matrix<float> ramps(kWide * kWide, kSamples);
    for (Index i = 0; i < ramps.rows(); ++i) {
      ramps.row(i).setConstant(static_cast<float>(i % kWide) / kWide);
    }
    std::vector<std::uint32_t> samples(kSamples);
    for (std::uint32_t i = 0; i < kSamples; ++i) samples[i] = i;
    distorter.distort({.seed = 1, .epoch = 1}, samples, ramps);
    const double expected = 10 / std::sqrt(12 * std::numbers::pi);
    for (const Index place : {kWide / 2 - 1, kWide / 2}) {
      const Eigen::ArrayXd moved =
          ramps.row(place * kWide + place).transpose().cast<double>().array() * kWide -
          static_cast<double>(place);
      EXPECT_NEAR(std::sqrt(moved.square().mean()) / expected, 1, 0.06);
      EXPECT_NEAR(moved.mean() / expected, 0, 0.1);
    }
  }
}

TEST(Distortion, KeepsValuesWithinThoseOfTheImageAndSamplesOfAnySize) {
  const Distorter distorter({.rotation = 180, .zoom = 0.9, .shift = 40, .elastic = 500}, 3, 7);
  Matrix<float> images = (Matrix<float>::Random(21, 50).array() + 1) / 2;
  std::vector<std::uint32_t> samples(50);
  for (std::uint32_t i = 0; i < 50; ++i) samples[i] = i;
  distorter.distort({.seed = 1, .epoch = 1}, samples, images);
  EXPECT_GE(images.minCoeff(), 0);
  EXPECT_LE(images.maxCoeff(), 1);
}

}  // namespace
}  // namespace sae
