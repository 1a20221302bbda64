#include "sae/train/hard_samples.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sae/comm/self_communicator.hpp"

namespace sae {
namespace {

struct FourSamples : testing::Test {
  SelfCommunicator comm;
  Shard shard{{.features = 2, .pixel_type = PixelType::kUint8}, 4, {0, 4}};
  std::vector<std::uint16_t> labels = {0, 1, 1, 0};
  Matrix<float> logits{{2.0f, 3.0f, 0.0f, 3.0f}, {0.0f, 0.0f, 3.0f, 0.0f}};

  FourSamples() {
    for (Index i = 0; i < 4; ++i) {
      shard.records(Range{i, i + 1})[0] = static_cast<std::byte>(51 * i);
    }
  }
};

TEST_F(FourSamples, TheLargestLossComesFirstWithWhatTheModelSaid) {
  HardSamples hard(2);
  hard.add(0, labels, logits);
  const auto found = hard.gather(shard, comm);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].sample, 1);
  EXPECT_EQ(found[0].label, 1);
  EXPECT_EQ(found[0].predicted, 0);
  EXPECT_NEAR(found[0].loss, std::log(1 + std::exp(3.0)), 1e-6);
  EXPECT_NEAR(found[0].confidence, 1 / (1 + std::exp(-3.0)), 1e-6);
  EXPECT_EQ(found[0].pixels, (std::vector<float>{0.2f, 0.0f}));
  EXPECT_EQ(found[1].sample, 0);
}

TEST_F(FourSamples, OfLossesThatDifferByRoundingTheFirstSampleComesFirst) {
  logits(0, 3) -= 1e-6f;  // The loss of the last is larger than that of sample 2 by a hair.
  HardSamples hard(4);
  hard.add(2, std::span(labels).subspan(2), logits.rightCols(2));
  hard.add(0, std::span(labels).first(2), logits.leftCols(2));
  std::vector<Index> order;
  for (const HardSample& sample : hard.gather(shard, comm)) order.push_back(sample.sample);
  EXPECT_EQ(order, (std::vector<Index>{1, 0, 2, 3}));
}

TEST_F(FourSamples, WhatTheModelHasNoNumberForComesFirst) {
  logits(0, 2) = std::nanf("");
  logits(1, 0) = std::nanf("");
  HardSamples hard(3);
  for (Index i = 0; i < 4; ++i)
    hard.add(i, std::span(labels).subspan(std::size_t(i), 1), logits.col(i));
  std::vector<Index> order;
  for (const HardSample& sample : hard.gather(shard, comm)) order.push_back(sample.sample);
  EXPECT_EQ(order, (std::vector<Index>{0, 2, 1}));
}

TEST_F(FourSamples, ALabelThatTheModelRulesOutHasALargeFiniteLoss) {
  logits(0, 1) = 200;
  HardSamples hard(1);
  hard.add(0, labels, logits);
  EXPECT_NEAR(hard.gather(shard, comm)[0].loss, 200, 1e-3);
}

}  // namespace
}  // namespace sae
