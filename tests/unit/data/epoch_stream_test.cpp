#include "sae/data/epoch_stream.hpp"

#include <gtest/gtest.h>

#include "sae/comm/self_communicator.hpp"

namespace sae {
namespace {

/// A shard of all samples of one rank; the label of a sample is its index.
Shard whole_set(Index count, Index features = 3) {
  const RecordFormat format{.features = features, .pixel_type = PixelType::kUint8};
  Shard shard(format, count, {0, count});
  for (Index sample = 0; sample < count; ++sample) {
    const auto label = static_cast<std::uint16_t>(sample);
    auto record = shard.records({sample, sample + 1});
    record[format.pixel_bytes()] = static_cast<std::byte>(label & 0xff);
    record[format.pixel_bytes() + 1] = static_cast<std::byte>(label >> 8);
  }
  return shard;
}

TEST(EpochStream, GivesEachSampleOnceInTheOrderOfTheEpoch) {
  SelfCommunicator comm;
  // The wide records make several windows.
  for (const auto& [count, features] : {std::pair<Index, Index>{97, 3}, {500, 50000}}) {
    const Shard shard = whole_set(count, features);
    const EpochOrder order(1, 0, 1, count);
    EpochStream stream(shard, order, 10, 0, comm);
    Minibatch<float> minibatch;
    Index position = 0;
    while (stream.next(minibatch)) {
      EXPECT_EQ(minibatch.global_size, std::min<Index>(10, count - position));
      for (Index i = 0; i < minibatch.size(); ++i, ++position) {
        const Index sample = order.sample_at(position);
        ASSERT_EQ(minibatch.samples[static_cast<std::size_t>(i)], sample);
        ASSERT_EQ(minibatch.labels[static_cast<std::size_t>(i)], sample);
      }
    }
    EXPECT_EQ(position, count);
  }
}

TEST(EpochStream, AWindowHoldsAStepHoweverLargeItIs) {
  const RecordFormat format{.features = 1000, .pixel_type = PixelType::kFloat32};
  EXPECT_EQ(EpochStream::window_bytes(format, 10), std::size_t{1} << 20);
  EXPECT_EQ(EpochStream::window_bytes(format, 5000), std::size_t{5000} * 4002);
}

TEST(EpochStream, StartedInTheMiddleGivesTheRest) {
  SelfCommunicator comm;
  const Shard shard = whole_set(97);
  const EpochOrder order(1, 0, 1, 97);
  for (const Index first_step : {0, 1, 7, 9, 10}) {
    EpochStream stream(shard, order, 10, first_step, comm);
    Minibatch<float> minibatch;
    Index position = 10 * first_step;
    while (stream.next(minibatch)) {
      for (const std::uint32_t sample : minibatch.samples) {
        ASSERT_EQ(sample, order.sample_at(position++));
      }
    }
    EXPECT_EQ(position, first_step == 10 ? 100 : 97);
  }
}

TEST(StepsPerEpoch, CountsTheShortMinibatch) {
  EXPECT_EQ(steps_per_epoch(97, 10), 10);
  EXPECT_EQ(steps_per_epoch(100, 10), 10);
  EXPECT_EQ(steps_per_epoch(3, 10), 1);
}

}  // namespace
}  // namespace sae
