#include "sae/core/suggestion.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

TEST(Suggestion, DistanceCountsInsertedRemovedReplacedAndSwappedLetters) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "seed"), 4u);
  EXPECT_EQ(edit_distance("seed", ""), 4u);
  EXPECT_EQ(edit_distance("seed", "seed"), 0u);
  EXPECT_EQ(edit_distance("sed", "seed"), 1u);
  EXPECT_EQ(edit_distance("seeed", "seed"), 1u);
  EXPECT_EQ(edit_distance("sead", "seed"), 1u);
  EXPECT_EQ(edit_distance("sede", "seed"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Suggestion, IsTheClosestName) {
  const std::vector<std::string> names = {"labelled", "label", "labels", "run"};
  EXPECT_EQ(did_you_mean("lable", names), " Did you mean label?");
  EXPECT_EQ(did_you_mean("labells", names, "--"), " Did you mean --labels?");
  EXPECT_EQ(did_you_mean("rum", names), " Did you mean run?");
}

TEST(Suggestion, IsEveryNameThatSaysMore) {
  const std::vector<std::string> names = {"pretrain-rate", "finetune-rate", "rate-decay",
                                          "batch-size"};
  EXPECT_EQ(did_you_mean("rate", names, "--"), " Did you mean --pretrain-rate or --finetune-rate?");
  EXPECT_EQ(did_you_mean("batch", names, "--"), " Did you mean --batch-size?");
}

TEST(Suggestion, IsMissingIfNoNameIsClose) {
  EXPECT_EQ(did_you_mean("stray", {"train"}), "");
  EXPECT_EQ(did_you_mean("at", {"run"}), "");
  EXPECT_EQ(did_you_mean("tune", {"finetune-epochs"}), "");
  EXPECT_EQ(did_you_mean("", {"finetune-epochs"}), "");
  EXPECT_EQ(did_you_mean("units", {}), "");
}

}  // namespace
}  // namespace sae
