#include "sae/optim/sgd.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sae {
namespace {

TEST(Sgd, WithoutMomentumGoesDownTheScaledGradientAndDecays) {
  std::vector<float> w = {1, -2};
  const std::vector<float> g = {4, 8};
  sgd_update<float>(
      {.parameters = w, .velocity = {}, .rounded = {}}, {g},
      {.learning_rate = 0.5f, .momentum = 0, .weight_decay = 0.25f, .gradient_scale = 0.125f});
  // w - 0.5 (g / 8 + w / 4), exact in float.
  EXPECT_EQ(w, (std::vector<float>{1 - 0.5f * 0.75f, -2 - 0.5f * 0.5f}));
}

TEST(Sgd, MomentumKeepsAShareOfTheLastVelocity) {
  std::vector<float> w = {1};
  std::vector<float> v = {2};
  const std::vector<float> g = {1};
  const SgdStep step{.learning_rate = 0.25f, .momentum = 0.5f};
  sgd_update<float>({.parameters = w, .velocity = v, .rounded = {}}, {g}, step);
  EXPECT_EQ(v[0], 2);  // 0.5 * 2 + 1
  EXPECT_EQ(w[0], 0.5f);
  sgd_update<float>({.parameters = w, .velocity = v, .rounded = {}}, {g}, step);
  EXPECT_EQ(w[0], 0);
}

}  // namespace
}  // namespace sae
