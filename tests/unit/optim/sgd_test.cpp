#include <gtest/gtest.h>

#include <vector>

#include "sae/optim/optimizer.hpp"

namespace sae {
namespace {

void update(const Optimizer& sgd, const UpdatedVectors& vectors, std::span<const float> gradient,
            const OptimizerStep& step) {
  EXPECT_TRUE(sgd.update(vectors, std::vector{gradient}, step));
}

TEST(Sgd, WithoutMomentumGoesDownTheScaledGradientAndDecays) {
  std::vector<float> w = {1, -2};
  const std::vector<float> g = {4, 8};
  const auto sgd = make_optimizer({});
  EXPECT_TRUE(sgd->slots().empty());
  update(*sgd, {.parameters = w, .slots = {}, .rounded = {}}, g,
         {.learning_rate = 0.5f, .weight_decay = 0.25f, .gradient_scale = 0.125f});
  // w - 0.5 (g / 8 + w / 4), exact in float.
  EXPECT_EQ(w, (std::vector<float>{1 - 0.5f * 0.75f, -2 - 0.5f * 0.5f}));
}

TEST(Sgd, MomentumKeepsAShareOfTheLastVelocity) {
  std::vector<float> w = {1};
  std::vector<float> v = {2};
  const std::vector<float> g = {1};
  const auto sgd = make_optimizer({.momentum = 0.5});
  EXPECT_EQ(sgd->slots(), std::vector<std::string>{"velocity"});
  const OptimizerStep step{.learning_rate = 0.25f};
  update(*sgd, {.parameters = w, .slots = {v}, .rounded = {}}, g, step);
  EXPECT_EQ(v[0], 2);  // 0.5 * 2 + 1
  EXPECT_EQ(w[0], 0.5f);
  update(*sgd, {.parameters = w, .slots = {v}, .rounded = {}}, g, step);
  EXPECT_EQ(w[0], 0);
}

}  // namespace
}  // namespace sae
