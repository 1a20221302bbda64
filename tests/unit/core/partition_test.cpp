#include "sae/core/partition.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

TEST(Partition, CoversEveryElementOnceInOrder) {
  for (const Index size : {0, 1, 2, 7, 96, 97, 55000}) {
    for (const Index count : {1, 2, 3, 4, 7, 11, 16, 100}) {
      const Range whole{5, 5 + size};
      Index end = whole.begin;
      for (Index i = 0; i < count; ++i) {
        const Range part = part_of_range(whole, i, count);
        EXPECT_EQ(part.begin, end);
        EXPECT_GE(part.size(), size / count);
        EXPECT_LE(part.size(), size / count + 1);
        end = part.end;
      }
      EXPECT_EQ(end, whole.end);
    }
  }
}

TEST(Partition, InBlocksCoversEveryElementOnceAndCutsNoBlock) {
  for (const Index size : {0, 1, 9, 10, 11, 97}) {
    for (const Index count : {1, 2, 3, 7, 100}) {
      const Range whole{5, 5 + size};
      Index end = whole.begin;
      for (Index i = 0; i < count; ++i) {
        const Range part = part_in_blocks(whole, 10, i, count);
        EXPECT_EQ(part.begin, end);
        EXPECT_TRUE((part.begin - whole.begin) % 10 == 0 || part.begin == whole.end);
        end = part.end;
      }
      EXPECT_EQ(end, whole.end);
    }
  }
  EXPECT_EQ(part_in_blocks({0, 97}, 1, 2, 3), part_of_range({0, 97}, 2, 3));
}

TEST(Partition, TheHolderOfAnElementHoldsIt) {
  for (const Index size : {1, 2, 7, 96, 97}) {
    for (const Index count : {1, 2, 3, 4, 7, 11, 100}) {
      const Range whole{3, 3 + size};
      for (Index element = whole.begin; element < whole.end; ++element) {
        const Index holder = part_that_holds(whole, element, count);
        ASSERT_TRUE(part_of_range(whole, holder, count).contains(element));
      }
    }
  }
}

TEST(Partition, PartsOfPartsAreFinerParts) {
  // What lets 2, 4, 8 ranks share 16 microbatches of a minibatch.
  const Range whole{0, 97};
  EXPECT_EQ(part_of_range(whole, 3, 4).begin, part_of_range(whole, 12, 16).begin);
  EXPECT_EQ(part_of_range(whole, 3, 4).end, part_of_range(whole, 15, 16).end);
}

}  // namespace
}  // namespace sae
