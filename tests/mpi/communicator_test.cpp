#include "sae/comm/communicator.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "sae/comm/mpi_communicator.hpp"

namespace sae {
namespace {

struct MpiCommunicatorTest : testing::Test {
  MpiCommunicator comm;
  int rank = comm.rank();
  int size = comm.size();
};

TEST_F(MpiCommunicatorTest, AllreduceSumsOverRanks) {
  std::vector<float> floats = {1, static_cast<float>(rank)};
  comm.allreduce_sum(floats);
  EXPECT_EQ(floats[0], static_cast<float>(size));
  EXPECT_EQ(floats[1], static_cast<float>(size * (size - 1) / 2));
  std::array<double, 1> value = {0.5};
  comm.allreduce_sum(value);
  EXPECT_EQ(value[0], 0.5 * size);
}

TEST_F(MpiCommunicatorTest, AnyTellsAllRanksWhetherOneSaysSo) {
  for (int one = 0; one < size; ++one) EXPECT_TRUE(comm.any(rank == one)) << one;
  EXPECT_FALSE(comm.any(false));
}

template <typename Pending>
auto arrived(Pending& pending) {
  while (!pending.poll()) continue;
  return pending.wait();
}

// Of one round and of two; then by MPI, where other numbers of ranks than powers of two take
// another algorithm for long ones.
TEST_F(MpiCommunicatorTest, SumsOnTheirWayArriveInOrderOfStart) {
  MpiCommunicator by_mpi(std::size_t{1} << 30, 1);
  for (MpiCommunicator* by : {&comm, &by_mpi}) {
    for (const Index length : {Index{1}, Index{100003}, Index{1} << 18}) {
      Vector<float> own(length + 1);
      std::iota(own.begin(), own.end(), static_cast<float>(rank));
      const auto first = by->start_allreduce_sum(own, length);
      const auto second = by->start_allreduce_sum(
          Vector<bfloat16>::Constant(length, bfloat16(static_cast<float>(rank))).eval(), length);
      const Vector<float> floats = arrived(*first);
      const Vector<bfloat16> rounded = arrived(*second);
      const auto sum_of_ranks = static_cast<float>(size * (size - 1) / 2);
      for (Index i = 0; i < length; ++i) {
        ASSERT_EQ(floats[i], static_cast<float>(size) * static_cast<float>(i) + sum_of_ranks) << i;
        ASSERT_EQ(static_cast<float>(rounded[i]), sum_of_ranks) << i;
      }
      EXPECT_EQ(floats[length], own[length]);
    }
  }
}

// Each rank may complete the first round of one sum before or after that of another.
TEST_F(MpiCommunicatorTest, SumsOnTheirWayDoNotMix) {
  constexpr int kSums = 40;
  std::vector<std::unique_ptr<PendingSum<double>>> sums;
  for (int i = 0; i < kSums; ++i) {
    const Index length = i % 3 == 0 ? 5 : 5000;
    sums.push_back(
        comm.start_allreduce_sum(Vector<double>::Constant(length, i + rank).eval(), length));
  }
  for (int i = 0; i < kSums; ++i) {
    const int which = rank % 2 == 0 ? i : kSums - 1 - i;
    auto& sum = sums[static_cast<std::size_t>(which)];
    while (!sum->poll()) {
      for (const auto& other : sums) {
        if (other) other->poll();
      }
    }
    const Vector<double> values = std::exchange(sum, nullptr)->wait();
    EXPECT_EQ(values,
              Vector<double>::Constant(values.size(), size * which + size * (size - 1) / 2));
  }
}

// 256 + 1 would round to 256 again and again.
TEST_F(MpiCommunicatorTest, SumsOfBfloat16AreRoundedOnce) {
  for (const Index length : {Index{3}, Index{70001}}) {
    const float own = rank == 0 ? 256 : 1;
    const auto sum =
        comm.start_allreduce_sum(Vector<bfloat16>::Constant(length, bfloat16(own)).eval(), length);
    const auto expected = static_cast<float>(bfloat16(static_cast<float>(255 + size)));
    for (const bfloat16 value : arrived(*sum)) ASSERT_EQ(static_cast<float>(value), expected);
  }
}

TEST_F(MpiCommunicatorTest, BroadcastCopiesTheRoot) {
  for (int root = 0; root < size; ++root) {
    std::array<std::byte, 3> bytes = {std::byte(rank), std::byte(7), std::byte(rank)};
    comm.broadcast(bytes, root);
    EXPECT_EQ(bytes[2], std::byte(root));
  }
}

TEST_F(MpiCommunicatorTest, AllgatherKeepsTheOrderAndLengthOfTexts) {
  const auto texts = comm.allgather(std::string(static_cast<std::size_t>(rank), 'x'));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(size));
  for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r], std::string(r, 'x'));
}

TEST_F(MpiCommunicatorTest, SendArrivesInOrder) {
  if (rank == 0) {
    for (int to = 1; to < size; ++to) {
      for (int i = 0; i < 3; ++i) {
        const std::array<std::byte, 2> bytes = {std::byte(to), std::byte(i)};
        comm.send(bytes, to);
      }
    }
  } else {
    for (int i = 0; i < 3; ++i) {
      std::array<std::byte, 2> bytes{};
      comm.receive(bytes, 0);
      EXPECT_EQ(bytes[0], std::byte(rank));
      EXPECT_EQ(bytes[1], std::byte(i));
    }
  }
}

// As it would be with more than MPI can count.
TEST_F(MpiCommunicatorTest, WhatIsTooLongForAMessageTravelsInSeveral) {
  MpiCommunicator small(12);
  for (const std::size_t length : {std::size_t{0}, std::size_t{3}, std::size_t{25}}) {
    std::vector<float> sums(length, static_cast<float>(rank + 1));
    small.allreduce_sum(sums);
    EXPECT_EQ(sums, std::vector<float>(length, static_cast<float>(size * (size + 1) / 2)));
    std::vector<std::byte> bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = std::byte(rank == 0 ? i + 1 : 0);
    small.broadcast(bytes, 0);
    for (std::size_t i = 0; i < length; ++i) EXPECT_EQ(bytes[i], std::byte(i + 1));
    if (size < 2 || rank > 1) continue;
    // Of unequal length both ways.
    const std::vector<std::byte> own(length + static_cast<std::size_t>(rank) * 30, std::byte(rank));
    std::vector<std::byte> theirs(length + static_cast<std::size_t>(1 - rank) * 30);
    small.swap_with(own, theirs, 1 - rank);
    EXPECT_EQ(theirs, std::vector<std::byte>(theirs.size(), std::byte(1 - rank)));
    if (rank == 0) {
      small.send(bytes, 1);
    } else {
      std::vector<std::byte> arrived(length);
      small.receive(arrived, 0);
      EXPECT_EQ(arrived, bytes);
    }
  }
}

TEST_F(MpiCommunicatorTest, ExchangeDeliversPartsOfUnequalLength) {
  // Rank a sends (a + b) % 3 bytes of value a to rank b.
  const auto length = [](int from, int to) { return Index{(from + to) % 3}; };
  std::vector<Index> send_counts;
  std::vector<Index> receive_counts;
  std::vector<std::byte> expected;
  for (int other = 0; other < size; ++other) {
    send_counts.push_back(length(rank, other));
    receive_counts.push_back(length(other, rank));
    expected.insert(expected.end(), static_cast<std::size_t>(length(other, rank)),
                    std::byte(other));
  }
  const std::vector<std::byte> sent(
      std::accumulate(send_counts.begin(), send_counts.end(), std::size_t{0}), std::byte(rank));
  const auto pending = comm.start_exchange(sent, 1, send_counts, receive_counts);
  std::vector<float> other_traffic(1000, 1);
  comm.allreduce_sum(other_traffic);  // A collective between start and end does not disturb.
  pending->poll();
  EXPECT_EQ(pending->wait(), expected);
}

}  // namespace
}  // namespace sae
