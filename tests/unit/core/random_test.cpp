#include "sae/core/random.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace sae {
namespace {

TEST(RandomWords, AreThoseOfThePublishedPhiloxVectors) {
  // Known answers of philox4x32-10 from the Random123 distribution (kat_vectors).
  const RandomKey zero{.seed = 0, .purpose = RandomPurpose{0}};
  EXPECT_EQ(random_words(zero, 0),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const RandomKey ones{.seed = ~std::uint64_t{0},
                       .purpose = RandomPurpose{0xffff},
                       .stage = 0xffff,
                       .epoch = 0xffffffff,
                       .sample = 0xffffffff};
  EXPECT_EQ(random_words(ones, 0xffffffff),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(RandomWords, EachPartOfTheKeyChangesThem) {
  const RandomKey key{
      .seed = 1, .purpose = RandomPurpose::kOrder, .stage = 1, .epoch = 1, .sample = 1};
  std::set<std::array<std::uint32_t, 4>> distinct = {random_words(key, 1), random_words(key, 2)};
  for (int part = 0; part < 5; ++part) {
    RandomKey other = key;
    if (part == 0) other.seed += std::uint64_t{1} << 32;
    if (part == 1) other.purpose = RandomPurpose::kNoise;
    if (part == 2) ++other.stage;
    if (part == 3) ++other.epoch;
    if (part == 4) ++other.sample;
    distinct.insert(random_words(other, 1));
  }
  EXPECT_EQ(distinct.size(), 7u);
}

TEST(RandomWords, ManyAtATimeAreTheSame) {
  const RandomKey key{.seed = 0x123456789abcdef0,
                      .purpose = RandomPurpose::kNoise,
                      .stage = 2,
                      .epoch = 3,
                      .sample = 4};
  std::vector<std::uint32_t> words(4 * 37 + 3);
  fill_with_random_words(key, words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(words[i], random_words(key, static_cast<std::uint32_t>(i / 4))[i % 4]);
  }
}

}  // namespace
}  // namespace sae
