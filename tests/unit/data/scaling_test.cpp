#include "sae/data/scaling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "sae/comm/self_communicator.hpp"

namespace sae {
namespace {

/// A shard of these values (features, samples), with the labels 0, 1, 2, ...
Shard shard_of(const Matrix<float>& values) {
  const RecordFormat format{.features = values.rows(), .pixel_type = PixelType::kFloat32};
  Shard shard(format, values.cols(), {0, values.cols()});
  for (Index j = 0; j < values.cols(); ++j) {
    encode_record(format, values.col(j), static_cast<std::uint16_t>(j),
                  shard.records(Range{j, j + 1}));
  }
  return shard;
}

Matrix<float> values_of(const Shard& shard) {
  return decode_pixels(shard.format(), shard.records(shard.samples()));
}

struct ScalingOfATable : testing::Test {
  SelfCommunicator comm;
  Matrix<float> table{4, 1000};  // Wide, narrow far from 0, constant, two values.

  ScalingOfATable() {
    table.row(0) = 300 * Matrix<float>::Random(1, 1000).array() - 40;
    table.row(1) = Matrix<float>::Random(1, 1000).array() / 8 + 1e4f;
    table.row(2).setConstant(-7.3f);
    for (Index j = 0; j < 1000; ++j) table(3, j) = j % 4 == 0 ? 5.0f : -1.0f;
  }
};

TEST_F(ScalingOfATable, StandardGivesMeanZeroAndDeviationOne) {
  const Scaling scaling = fit_scaling(ScalingKind::kStandard, shard_of(table), comm);
  const Matrix<double> x = values_of(scaled(shard_of(table), scaling)).cast<double>();
  for (const Index feature : {0, 1, 3}) {
    EXPECT_NEAR(x.row(feature).mean(), 0, 1e-3);
    EXPECT_NEAR(x.row(feature).squaredNorm() / 1000, 1, 1e-3);
  }
  EXPECT_EQ(x.row(2).cwiseAbs().maxCoeff(), 0);
}

TEST_F(ScalingOfATable, MinMaxGivesTheUnitInterval) {
  const Scaling scaling = fit_scaling(ScalingKind::kMinMax, shard_of(table), comm);
  const Matrix<float> x = values_of(scaled(shard_of(table), scaling));
  for (const Index feature : {0, 1, 3}) {
    EXPECT_EQ(x.row(feature).minCoeff(), 0);
    EXPECT_FLOAT_EQ(x.row(feature).maxCoeff(), 1);
  }
  EXPECT_EQ(x.row(2).cwiseAbs().maxCoeff(), 0);
}

TEST_F(ScalingOfATable, RankGaussIsMonotoneAndNormal) {
  const Scaling scaling = fit_scaling(ScalingKind::kRankGauss, shard_of(table), comm);
  const Matrix<float> x = values_of(scaled(shard_of(table), scaling));
  for (const Index feature : {0, 1}) {
    EXPECT_NEAR(x.row(feature).mean(), 0, 0.01);
    EXPECT_NEAR(x.row(feature).squaredNorm() / 1000, 1, 0.03);
    for (Index j = 1; j < 1000; ++j) {
      if (table(feature, j) >= table(feature, j - 1)) continue;
      ASSERT_LE(x(feature, j), x(feature, j - 1));
    }
  }
  EXPECT_EQ(x.row(2).cwiseAbs().maxCoeff(), 0);
  // Ranks of equal values share their middle: 0.375 and 0.875.
  EXPECT_NEAR(x(3, 1), -0.3186, 1e-3);
  EXPECT_NEAR(x(3, 0), 1.1503, 1e-3);
}

TEST_F(ScalingOfATable, UnscalingGivesTheValuesBackAndLabelsStay) {
  for (const auto kind : {ScalingKind::kNone, ScalingKind::kStandard, ScalingKind::kMinMax,
                          ScalingKind::kRankGauss}) {
    const Scaling scaling = fit_scaling(kind, shard_of(table), comm);
    const Shard shard = scaled(shard_of(table), scaling);
    Matrix<float> x = values_of(shard);
    unscale(scaling, x);
    for (Index j = 0; j < 1000; ++j) {
      for (const Index feature : {0, 1, 2, 3}) {
        ASSERT_NEAR(x(feature, j), table(feature, j), 2e-5f * std::abs(table(feature, j)) + 1e-3f);
      }
      ASSERT_EQ(decode_label(shard.format(), shard.record(j)), j);
    }
  }
}

TEST_F(ScalingOfATable, OutsideTheTrainingRangeRankGaussIsConstant) {
  const Scaling scaling = fit_scaling(ScalingKind::kRankGauss, shard_of(table), comm);
  Matrix<float> x(4, 2);
  x.col(0).setConstant(-1e30f);
  x.col(1).setConstant(1e30f);
  scale(scaling, x);
  EXPECT_TRUE(x.allFinite());
  EXPECT_LT(x(0, 0), -2);
  EXPECT_GT(x(0, 1), 2);
}

TEST_F(ScalingOfATable, OfBytesIsThatOfTheirShareOf255) {
  const RecordFormat format{.features = 1, .pixel_type = PixelType::kUint8};
  Shard bytes(format, 256, {0, 256});
  for (Index j = 0; j < 256; ++j) {
    bytes.records(Range{j, j + 1})[0] = static_cast<std::byte>(j);
  }
  const Scaling scaling = fit_scaling(ScalingKind::kMinMax, bytes, comm);
  const Matrix<float> x = values_of(scaled(std::move(bytes), scaling));
  EXPECT_FLOAT_EQ(x(0, 51), 0.2f);
}

}  // namespace
}  // namespace sae
