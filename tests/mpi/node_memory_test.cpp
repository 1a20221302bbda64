#include "sae/comm/node_memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "sae/comm/mpi_communicator.hpp"

namespace sae {
namespace {

TEST(NodeMemory, SegmentsAreZeroAtFirstAndBeginOnCacheLines) {
  MpiCommunicator comm;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{1} << 20}) {
    const auto memory = comm.share_memory(bytes + static_cast<std::size_t>(comm.rank()));
    for (int r = 0; r < memory->node_size(); ++r) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->segment(r)) % 64, 0U) << r;
      const std::span segment(memory->segment(r), bytes);
      EXPECT_TRUE(
          std::all_of(segment.begin(), segment.end(), [](auto b) { return b == std::byte{0}; }));
    }
    comm.barrier();
  }
}

TEST(NodeMemory, AllRanksSeeWhatOneWrites) {
  constexpr std::size_t kBytes = 1000;
  MpiCommunicator comm;
  const auto memory = comm.share_memory(kBytes);
  std::fill_n(memory->segment(memory->node_rank()), kBytes, std::byte(memory->node_rank() + 1));
  comm.barrier();
  for (int r = 0; r < memory->node_size(); ++r) {
    const std::span segment(memory->segment(r), kBytes);
    EXPECT_EQ(std::count(segment.begin(), segment.end(), std::byte(r + 1)), kBytes) << r;
  }
}

}  // namespace
}  // namespace sae
