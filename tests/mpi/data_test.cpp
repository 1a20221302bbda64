#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "sae/comm/mpi_communicator.hpp"
#include "sae/core/error.hpp"
#include "sae/core/partition.hpp"
#include "sae/data/distributed_dataset.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/data/replica.hpp"
#include "sae/train/data_placement.hpp"
#include "support/several_nodes.hpp"
#include "support/shared_directory.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {
namespace {

struct DistributedData : testing::Test {
  MpiCommunicator comm;
  SharedDirectory folder{comm};
  TinyDataset tiny;
  std::filesystem::path path = folder.path() / "tiny.h5";

  void SetUp() override {
    if (comm.is_root()) tiny.write(path);
    comm.barrier();
  }
  void TearDown() override { comm.barrier(); }
};

TEST_F(DistributedData, EachRankGetsItsPartByEitherAccess) {
  for (const auto access : {DataAccess::kScatter, DataAccess::kShared}) {
    DistributedDataset dataset(path, access, comm);
    EXPECT_EQ(dataset.info().name, "tiny");
    const Index first = 11;
    const Shard shard = dataset.load_shard(SampleSet(Split::kTrain, {first, 97}));
    EXPECT_EQ(shard.set_size(), 86);
    EXPECT_EQ(shard.samples(), part_of_range({0, 86}, comm.rank(), comm.size()));
    for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
      ASSERT_EQ(decode_label(shard.format(), shard.record(sample)),
                tiny.label(Split::kTrain, first + sample));
      ASSERT_EQ(shard.record(sample)[7], std::byte{tiny.pixel(Split::kTrain, first + sample, 7)});
    }
  }
}

TEST_F(DistributedData, ThatIsLargerThanABlockIsDealtOutWithSignsOfProgress) {
  const TinyDataset large{.train_count = 61, .height = 512, .width = 512};
  const auto large_path = folder.path() / "large.h5";
  if (comm.is_root()) large.write(large_path);
  comm.barrier();
  Heartbeat heartbeat;
  DistributedDataset dataset(large_path, DataAccess::kScatter, comm, &heartbeat);
  EXPECT_GT(heartbeat.last_progress.load(), 0);
  heartbeat.last_progress = 0;
  const Shard shard = dataset.load_shard(SampleSet(Split::kTrain, {0, 61}));
  EXPECT_GT(shard.set_size() * large.features(), 3 * Index{DistributedDataset::kBlockBytes});
  for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
    ASSERT_EQ(decode_label(shard.format(), shard.record(sample)),
              large.label(Split::kTrain, sample));
    const auto last = large.features() - 1;
    ASSERT_EQ(shard.record(sample)[static_cast<std::size_t>(last)],
              std::byte{large.pixel(Split::kTrain, sample, last)});
  }
  EXPECT_GT(heartbeat.last_progress.load(), 0);
}

TEST_F(DistributedData, TheFileNeedsToBeOnRankZeroOnly) {
  const auto seen = comm.is_root() ? path : folder.path() / "not here.h5";
  DistributedDataset dataset(seen, DataAccess::kScatter, comm);
  EXPECT_EQ(dataset.info().train_count, 97);
}

TEST_F(DistributedData, DifferentFilesAreNoticed) {
  const auto other = folder.path() / "other.h5";
  if (comm.rank() == comm.size() - 1) TinyDataset{.train_count = 90}.write(other);
  comm.barrier();
  const bool last = comm.rank() == comm.size() - 1;
  if (last && comm.size() > 1) {  // One alone agrees with itself.
    EXPECT_THROW(DistributedDataset(other, DataAccess::kShared, comm), DataError);
  } else {
    EXPECT_NO_THROW(DistributedDataset(path, DataAccess::kShared, comm));
  }
}

TEST_F(DistributedData, TheExchangeDeliversEachSampleOnceInTheOrderOfTheEpoch) {
  DistributedDataset dataset(path, DataAccess::kScatter, comm);
  const Shard shard = dataset.load_shard(SampleSet(Split::kTrain, {0, 97}));
  for (const Index batch_size : {1, 5, 10, 97, 200}) {
    for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
      const EpochOrder order(1, 0, epoch, 97);
      EpochStream stream(shard, order, batch_size, 0, comm);
      Minibatch<float> minibatch;
      std::vector<double> count(97, 0);
      Index step = 0;
      for (; stream.next(minibatch); ++step) {
        const Range batch{step * batch_size, std::min<Index>((step + 1) * batch_size, 97)};
        const Range own = part_of_range(batch, comm.rank(), comm.size());
        ASSERT_EQ(minibatch.size(), own.size());
        ASSERT_EQ(minibatch.global_size, batch.size());
        for (Index i = 0; i < own.size(); ++i) {
          const Index sample = order.sample_at(own.begin + i);
          ASSERT_EQ(minibatch.samples[static_cast<std::size_t>(i)], sample);
          ASSERT_EQ(minibatch.labels[static_cast<std::size_t>(i)],
                    tiny.label(Split::kTrain, sample));
          ASSERT_EQ(minibatch.inputs(3, i),
                    static_cast<float>(tiny.pixel(Split::kTrain, sample, 3)) / 255.0f);
          count[static_cast<std::size_t>(sample)] += 1;
        }
      }
      EXPECT_EQ(step, steps_per_epoch(97, batch_size));
      comm.allreduce_sum(count);
      EXPECT_EQ(count, std::vector<double>(97, 1));
    }
  }
}

// Rank 0 sends last, when the others have left the epoch and use its memory for something else.
TEST_F(DistributedData, AnEpochThatIsLeftTouchesNoMemoryOfOthers) {
  DistributedDataset dataset(path, DataAccess::kScatter, comm);
  const Shard shard = dataset.load_shard(SampleSet(Split::kTrain, {0, 97}));
  const EpochOrder order(1, 0, 1, 97);
  if (comm.is_root()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  { const EpochStream stream(shard, order, 97, 0, comm); }
  const Index own = part_of_range({0, 97}, comm.rank(), comm.size()).size();
  const auto bytes = static_cast<std::size_t>(own) * shard.format().bytes();
  const std::vector<std::vector<std::uint8_t>> others(10, std::vector<std::uint8_t>(bytes, 0xAA));
  comm.barrier();
  comm.barrier();
  for (const auto& other : others) ASSERT_EQ(other, std::vector<std::uint8_t>(bytes, 0xAA));
}

TEST_F(DistributedData, IsTheSameWhereEachNodeHasAllSamples) {
  DistributedDataset dataset(path, DataAccess::kScatter, comm);
  const Shard shard = dataset.load_shard(SampleSet(Split::kTrain, {0, 97}));
  SeveralNodes nodes(comm);
  for (Communicator* ranks :
       {static_cast<Communicator*>(&comm), static_cast<Communicator*>(&nodes)}) {
    Replica replica(shard, *ranks, nullptr);
    EXPECT_TRUE(replica.samples().is_replicated());
    EXPECT_EQ(replica.samples().set_size(), 97);
    for (const Index first_step : {0, 3}) {
      const EpochOrder order(1, 0, 1, 97);
      EpochStream sharded(shard, order, 10, first_step, comm);
      EpochStream whole(replica.samples(), order, 10, first_step, comm);
      Minibatch<float> expected;
      Minibatch<float> found;
      while (sharded.next(expected)) {
        ASSERT_TRUE(whole.next(found));
        ASSERT_EQ(found.samples, expected.samples);
        ASSERT_EQ(found.labels, expected.labels);
        ASSERT_EQ(found.inputs, expected.inputs);
        ASSERT_EQ(found.global_size, expected.global_size);
      }
      EXPECT_FALSE(whole.next(found));
    }
    replica.close();
  }
}

TEST_F(DistributedData, IsReplicatedWhereEachNodeHasTheMemory) {
  constexpr double kSmall = 1e3;
  constexpr double kHuge = 1e18;
  const bool several = comm.size() > 1;
  EXPECT_EQ(decide_data_placement(DataPlacement::kAuto, kSmall, comm).replicated, several);
  EXPECT_EQ(decide_data_placement(DataPlacement::kReplicated, kSmall, comm).replicated, several);
  EXPECT_FALSE(decide_data_placement(DataPlacement::kSharded, kSmall, comm).replicated);
  EXPECT_FALSE(decide_data_placement(DataPlacement::kAuto, kHuge, comm).replicated);
  if (!several) return;
  EXPECT_THROW(decide_data_placement(DataPlacement::kReplicated, kHuge, comm), CommunicationError);
}

TEST_F(DistributedData, AnEpochThatIsFinishedHasNothingUnderWay) {
  DistributedDataset dataset(path, DataAccess::kScatter, comm);
  const Shard shard = dataset.load_shard(SampleSet(Split::kTrain, {0, 97}));
  for (const Index steps : {0, 1, 10}) {
    EpochStream stream(shard, EpochOrder(1, 0, 1, 97), 10, 0, comm);
    Minibatch<float> minibatch;
    for (Index step = 0; step < steps; ++step) ASSERT_TRUE(stream.next(minibatch));
    stream.finish();
    stream.finish();
    EXPECT_FALSE(stream.next(minibatch));
  }
}

}  // namespace
}  // namespace sae
