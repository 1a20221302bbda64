#include "sae/optim/learning_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sae {
namespace {

LearningRate rate(Schedule schedule) {
  return {.initial = 0.8,
          .schedule = schedule,
          .decay_per_epoch = 0.5,
          .warmup_epochs = 0,
          .epochs = 10};
}

TEST(LearningRate, ConstantStays) { EXPECT_EQ(rate(Schedule::kConstant).at(9.9), 0.8); }

TEST(LearningRate, ExponentialFallsByItsFactorEachEpoch) {
  EXPECT_EQ(rate(Schedule::kExponential).at(0), 0.8);
  EXPECT_NEAR(rate(Schedule::kExponential).at(3), 0.1, 1e-15);
}

TEST(LearningRate, LinearReachesHalfInTheMiddleAndZeroAtTheEnd) {
  EXPECT_NEAR(rate(Schedule::kLinear).at(5), 0.4, 1e-15);
  EXPECT_NEAR(rate(Schedule::kLinear).at(10), 0, 1e-15);
}

TEST(LearningRate, CosineReachesHalfInTheMiddleAndZeroAtTheEnd) {
  EXPECT_NEAR(rate(Schedule::kCosine).at(2.5), 0.4 * (1 + std::sqrt(0.5)), 1e-15);
  EXPECT_NEAR(rate(Schedule::kCosine).at(5), 0.4, 1e-15);
  EXPECT_NEAR(rate(Schedule::kCosine).at(10), 0, 1e-15);
}

TEST(LearningRate, WarmUpRisesFirstAndShortensTheFall) {
  LearningRate warm = rate(Schedule::kLinear);
  warm.warmup_epochs = 2;
  EXPECT_NEAR(warm.at(1), 0.4, 1e-15);
  EXPECT_NEAR(warm.at(2), 0.8, 1e-15);
  EXPECT_NEAR(warm.at(6), 0.4, 1e-15);
}

TEST(LearningRate, ItMayFallFromAShareOfTheStageOn) {
  for (const Schedule schedule : {Schedule::kLinear, Schedule::kCosine, Schedule::kExponential}) {
    LearningRate late = rate(schedule);
    late.start = 0.5;
    EXPECT_EQ(late.at(0), 0.8);
    EXPECT_EQ(late.at(5), 0.8);
    const LearningRate whole = rate(schedule);
    const double as_late = schedule == Schedule::kExponential ? 2.5 : 5;
    EXPECT_NEAR(late.at(7.5), whole.at(as_late), 1e-15);
  }
  LearningRate warm = rate(Schedule::kLinear);
  warm.warmup_epochs = 2;
  warm.start = 0.5;
  EXPECT_NEAR(warm.at(1), 0.4, 1e-15);
  EXPECT_NEAR(warm.at(6), 0.8, 1e-15);
  EXPECT_NEAR(warm.at(8), 0.4, 1e-15);
}

// Else the first update would change nothing.
TEST(LearningRate, AnUpdateOfTheWarmUpHasTheRateAtItsEnd) {
  LearningRate warm = rate(Schedule::kConstant);
  warm.warmup_epochs = 2;
  EXPECT_NEAR(warm.at(0, 0.25), 0.1, 1e-15);
  EXPECT_NEAR(warm.at(1.75, 0.25), 0.8, 1e-15);
  EXPECT_NEAR(warm.at(1.9, 0.25), 0.8, 1e-15);
  warm.warmup_epochs = 0.1;  // Less than an update.
  EXPECT_NEAR(warm.at(0, 0.25), 0.8, 1e-15);
}

}  // namespace
}  // namespace sae
