#include "sae/model/parameter_layout.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

const Topology kTopology{.inputs = 13, .hidden = {11, 7}, .classes = 4};

TEST(ParameterLayout, ArraysAreAlignedDisjointAndInOrder) {
  const ParameterLayout layout(kTopology);
  Index end = 0;
  for (const ParameterView& view : layout.views()) {
    EXPECT_EQ(view.offset % ParameterLayout::kAlignment, 0) << view.name;
    EXPECT_GE(view.offset, end) << view.name;
    EXPECT_LT(view.offset - end, ParameterLayout::kAlignment) << view.name;
    end = view.offset + view.size();
  }
  EXPECT_GE(layout.size(), end);
}

TEST(ParameterLayout, NamesAndShapesAreThoseOfTheNetwork) {
  const auto views = ParameterLayout(kTopology).views();
  ASSERT_EQ(views.size(), 8u);
  EXPECT_EQ(views[0].name, "hidden1/weights");
  EXPECT_EQ(views[0].rows, 11);
  EXPECT_EQ(views[0].cols, 13);
  EXPECT_EQ(views[2].name, "hidden1/visible_bias");
  EXPECT_EQ(views[2].rows, 13);
  EXPECT_EQ(views[6].name, "output/weights");
  EXPECT_EQ(views[6].cols, 7);
}

TEST(ParameterLayout, StagesTrainContiguousRanges) {
  const ParameterLayout layout(kTopology);
  EXPECT_EQ(layout.pretraining_range(0).begin, 0);
  EXPECT_EQ(layout.pretraining_range(0).end, layout.pretraining_range(1).begin);
  EXPECT_EQ(layout.pretraining_range(1).end, layout.output().weights.offset);
  EXPECT_EQ(layout.finetuning_range(), (Range{0, layout.size()}));
}

TEST(Topology, ReadsAsPeopleWriteIt) { EXPECT_EQ(to_string(kTopology), "13-11-7-4"); }

}  // namespace
}  // namespace sae
