#include "sae/monitor/character_graphics.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

TEST(HalfBlocks, PutTwoRowsOfPixelsIntoALine) {
  const GreyPicture picture{2, 2, {0, 255, 128, 0}};
  EXPECT_EQ(half_blocks(std::vector{picture}),
            "\x1b[38;5;232;48;5;243m▀\x1b[38;5;255;48;5;232m▀\x1b[0m\n");
}

TEST(HalfBlocks, StandSideBySideAndEndDarkWhereThereIsNoRow) {
  const GreyPicture picture{1, 1, {255}};
  EXPECT_EQ(half_blocks(std::vector{picture, picture}),
            "\x1b[38;5;255;48;5;232m▀\x1b[0m \x1b[38;5;255;48;5;232m▀\x1b[0m\n");
  EXPECT_EQ(half_blocks({}), "");
}

TEST(Shrunk, KeepsSmallPicturesAndTakesMeansOfLargeOnes) {
  const GreyPicture small{2, 1, {1, 2}};
  EXPECT_EQ(shrunk_to_side(small, 2).pixels, small.pixels);
  const GreyPicture large{4, 2, {0, 10, 20, 30, 10, 20, 30, 40}};
  const GreyPicture result = shrunk_to_side(large, 2);
  EXPECT_EQ(result.height, 1);
  EXPECT_EQ(result.width, 2);
  EXPECT_EQ(result.pixels, (std::vector<std::uint8_t>{10, 30}));
}

TEST(Curve, RisesFromTheLowestToTheHighestValue) {
  EXPECT_EQ(curve({1, 8, 16}, 10, 2),
            "         16   █\n"
            "          1 ▁██\n");
  EXPECT_EQ(curve({2, 2}, 10, 1), "          2 ▁▁\n");
}

TEST(Curve, GathersValuesThatAreMoreThanColumns) {
  EXPECT_EQ(curve({0, 2, 14, 16}, 2, 1), curve({1, 15}, 2, 1));
}

}  // namespace
}  // namespace sae
