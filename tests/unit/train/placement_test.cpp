#include "sae/comm/placement.hpp"

#include <gtest/gtest.h>

#include "sae/comm/self_communicator.hpp"
#include "sae/core/host.hpp"

namespace sae {
namespace {

using Lines = std::vector<std::string>;

TEST(Placement, OfOneProcessIsItsHostAndBinding) {
  SelfCommunicator comm;
  const Placement placement = gather_placement(comm);
  EXPECT_EQ(placement.hosts, Lines{host_name()});
  EXPECT_EQ(placement.cores, std::vector{allowed_cores()});
}

TEST(Placement, NumbersAreShownAsRanges) {
  EXPECT_EQ(to_ranges({}), "");
  EXPECT_EQ(to_ranges({5}), "5");
  EXPECT_EQ(to_ranges({0, 1, 2, 3, 8}), "0-3,8");
  EXPECT_EQ(to_ranges({0, 2, 3}), "0,2-3");
}

TEST(Placement, OfUnevenAllocationsIsALineAHost) {
  EXPECT_EQ(describe({{"node1", "node1", "node2"}, {{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1}}}),
            (Lines{"node1: ranks 0-1, cores 0-3", "node2: rank 2, cores 0-1"}));
}

TEST(Placement, OfRanksThatAlternateBetweenHostsNamesThem) {
  EXPECT_EQ(describe({{"b", "a", "b", "a"}, {{0}, {0}, {1}, {1}}}),
            (Lines{"b: rank 0, core 0; rank 2, core 1", "a: rank 1, core 0; rank 3, core 1"}));
}

TEST(Placement, OfOneRankACoreIsShort) {
  EXPECT_EQ(describe({{"a", "a", "a"}, {{2}, {0}, {1}}}), Lines{"a: ranks 0-2, cores 0-2, 1 each"});
  EXPECT_EQ(describe({{"a", "a", "a"}, {{0, 1}, {2, 3}, {4, 6}}}),
            Lines{"a: ranks 0-2, cores 0-4,6, 2 each"});
  EXPECT_EQ(describe({{"a", "a", "a"}, {{0}, {1}, {1, 2}}}),
            Lines{"a: rank 0, core 0; rank 1, core 1; rank 2, cores 1-2"});
}

TEST(Placement, OfManyHostsShowsTheFirst) {
  Placement placement;
  for (int r = 0; r < 20; ++r) {
    placement.hosts.push_back("node" + std::to_string(r));
    placement.cores.push_back({});
  }
  const Lines lines = describe(placement);
  EXPECT_EQ(lines.size(), 17u);
  EXPECT_EQ(lines.front(), "node0: rank 0");
  EXPECT_EQ(lines.back(), "and 4 more hosts");
}

TEST(Placement, SharesDivideTheCoresOfAHost) {
  EXPECT_EQ(cores_per_rank({{"a", "a", "b"}, {{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}}}),
            (std::vector<Index>{2, 2, 4}));
  EXPECT_EQ(cores_per_rank({{"a", "a", "a"}, {{0}, {0}, {}}}), (std::vector<Index>{1, 1, 1}));
}

TEST(Placement, SharesStayWithinWhatAHostGrants) {
  const std::set<int> eight = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(cores_per_rank({{"a", "a", "b"}, {eight, eight, eight}, {4.5, 4.5, 0}}),
            (std::vector<Index>{2, 2, 8}));
  EXPECT_EQ(cores_per_rank({{"a"}, {eight}, {0.5}}), std::vector<Index>{1});
  EXPECT_EQ(cores_per_rank({{"a"}, {{0, 1}}, {16}}), std::vector<Index>{2});
}

TEST(Placement, WithMoreThreadsThanAHostGrantsIsCrowded) {
  EXPECT_EQ(oversubscribed_cores({{"a", "a"}, {{0, 1}, {2, 3}}, {2, 2}}, 1), Lines{});
  EXPECT_EQ(
      oversubscribed_cores({{"a", "a"}, {{0, 1}, {2, 3}}, {2, 2}}, 2),
      Lines{"on a 4 threads share the time of 2 cores, the limit of their container or job: fewer "
            "would be faster"});
}

TEST(Placement, TellsAHostThatGrantsLessThanItsCores) {
  EXPECT_EQ(
      describe({{"a", "a", "b"}, {{0, 1}, {2, 3}, {0}}, {2.5, 2.5, 8}}),
      (Lines{"a: rank 0, cores 0-1; rank 1, cores 2-3, the time of 2.5", "b: rank 2, core 0"}));
}

TEST(Placement, WithACoreForEachThreadIsNotCrowded) {
  EXPECT_EQ(oversubscribed_cores({{"a", "a", "b"}, {{0, 1}, {0, 1}, {0, 1}}}, 1), Lines{});
  EXPECT_EQ(oversubscribed_cores({{"a", "a"}, {{0, 1}, {2, 3}}}, 2), Lines{});
  EXPECT_EQ(oversubscribed_cores({{"a", "a"}, {{0}, {0, 1}}}, 1), Lines{});
  EXPECT_EQ(oversubscribed_cores({{"a"}, {{}}}, 8), Lines{});
}

TEST(Placement, WithRanksThatShareACoreIsCrowded) {
  EXPECT_EQ(oversubscribed_cores({{"a", "a", "b"}, {{0}, {0}, {0}}}, 1),
            Lines{"on a 2 ranks x 1 thread share core 0: fewer would be faster"});
  EXPECT_EQ(oversubscribed_cores({{"a", "a", "a"}, {{0, 1}, {0}, {1}}}, 1),
            Lines{"on a 3 ranks x 1 thread share cores 0-1: fewer would be faster"});
}

TEST(Placement, WithFewerCoresThanThreadsIsCrowded) {
  EXPECT_EQ(oversubscribed_cores({{"a", "b"}, {{0}, {0, 1, 2, 3}}}, 4),
            Lines{"on a 1 rank x 4 threads is bound to core 0: fewer would be faster"});
}

}  // namespace
}  // namespace sae
