#include "sae/kernels/bfloat16.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace sae {
namespace {

TEST(Bfloat16, IsTheNearestAndOfTwoTheEvenOne) {
  const std::vector<float> values = {1, 1 + 1.0f / 256, 1 + 3.0f / 256, 1 + 1.01f / 256, -3.14159f};
  std::vector<bfloat16> rounded(values.size());
  round_to_bfloat16(values, rounded);
  std::vector<float> wide(values.size());
  widen(rounded, wide);
  EXPECT_EQ(wide, (std::vector<float>{1, 1, 1 + 4.0f / 256, 1 + 2.0f / 256, -3.140625f}));
  add_widened(rounded, wide);
  EXPECT_EQ(wide[0], 2);
}

TEST(Bfloat16, KeepsWhatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {infinity, -infinity, std::bit_cast<float>(0x7fffffffU),
                                     std::bit_cast<float>(0xff800001U)};
  std::vector<bfloat16> rounded(values.size());
  round_to_bfloat16(values, rounded);
  std::vector<float> wide(values.size());
  widen(rounded, wide);
  EXPECT_EQ(wide[0], infinity);
  EXPECT_EQ(wide[1], -infinity);
  EXPECT_TRUE(std::isnan(wide[2]) && std::isnan(wide[3]));
}

}  // namespace
}  // namespace sae
