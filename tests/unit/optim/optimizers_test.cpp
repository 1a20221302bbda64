#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "sae/optim/optimizer.hpp"

namespace sae {
namespace {

/// An element with its slots, in double.
struct Element {
  double w;
  double first = 0;
  double second = 0;
};

constexpr double kRate = 0.01;
constexpr double kDecay = 0.1;
constexpr double kMomentum = 0.9;

// As the papers write them; g is the gradient without a penalty, t the number of the update.
using Formula = std::function<void(Element&, double g, double t)>;

void adam(Element& e, double g, double t) {
  e.first = kMomentum * e.first + (1 - kMomentum) * g;
  e.second = 0.999 * e.second + 0.001 * g * g;
  const double m = e.first / (1 - std::pow(kMomentum, t));
  const double v = e.second / (1 - std::pow(0.999, t));
  e.w -= kRate * m / (std::sqrt(v) + 1e-8);
}

const std::map<OptimizerKind, Formula> kFormulas = {
    {OptimizerKind::kSgd,
     [](Element& e, double g, double) {
       e.first = kMomentum * e.first + g + kDecay * e.w;
       e.w -= kRate * e.first;
     }},
    {OptimizerKind::kNesterov,
     [](Element& e, double g, double) {
       const double d = g + kDecay * e.w;
       e.first = kMomentum * e.first + d;
       e.w -= kRate * (d + kMomentum * e.first);
     }},
    {OptimizerKind::kAdam, [](Element& e, double g, double t) { adam(e, g + kDecay * e.w, t); }},
    {OptimizerKind::kAdamW,
     [](Element& e, double g, double t) {
       e.w -= kRate * kDecay * e.w;
       adam(e, g, t);
     }},
    {OptimizerKind::kLars, [](Element& e, double g, double) {
       // With the ratio of the array.
       e.first = kMomentum * e.first + kRate * e.second * (g + kDecay * e.w);
       e.w -= e.first;
     }}};

TEST(Optimizers, FourUpdatesAreThoseOfTheFormula) {
  constexpr std::size_t kSize = 5001;  // Several blocks, the last of them short.
  for (const auto& [name, kind, description] : optimizer_kinds()) {
    SCOPED_TRACE(name);
    const auto optimizer = make_optimizer({.kind = kind, .momentum = kMomentum});
    const auto slot_names = optimizer->slots();
    Vector<float> w = Vector<float>::Random(kSize);
    std::vector<Vector<float>> slots(slot_names.size(), Vector<float>::Zero(kSize));
    std::vector<Element> expected;
    for (const float x : w) expected.push_back({.w = static_cast<double>(x)});
    for (Index t = 1; t <= 4; ++t) {
      const Vector<float> gradient = Vector<float>::Random(kSize);
      const std::span<const float> gradients(gradient.data(), kSize);
      std::vector<double> statistics(optimizer->statistics(1));
      optimizer->add_statistics(0, {w.data(), kSize}, gradients, statistics);
      if (kind == OptimizerKind::kLars) {
        const double length = static_cast<double>(w.norm());
        const double slope = 0.5 * static_cast<double>(gradient.norm());
        for (Element& e : expected) e.second = 0.001 * length / (slope + kDecay * length);
      }
      UpdatedVectors vectors{.parameters = {w.data(), kSize}, .slots = {}, .rounded = {}};
      for (auto& slot : slots) vectors.slots.emplace_back(slot.data(), kSize);
      EXPECT_TRUE(optimizer->update(vectors, std::vector{gradients},
                                    {.learning_rate = static_cast<float>(kRate),
                                     .weight_decay = static_cast<float>(kDecay),
                                     .gradient_scale = 0.5f,
                                     .number = t,
                                     .statistics = statistics}));
      for (std::size_t i = 0; i < kSize; ++i) {
        kFormulas.at(kind)(expected[i], 0.5 * static_cast<double>(gradient[static_cast<Index>(i)]),
                           static_cast<double>(t));
        ASSERT_NEAR(static_cast<double>(w[static_cast<Index>(i)]), expected[i].w, 2e-6) << i;
      }
    }
  }
}

TEST(Optimizers, ALongGradientIsShortened) {
  const Vector<float> gradient = Vector<float>::Constant(100, 0.8f);  // Of length 8, halved 4.
  for (const double norm : {1.0, 3.9, 4.1}) {
    const auto optimizer = make_optimizer({.clip_gradient_norm = norm});
    std::vector<double> statistics(optimizer->statistics(2));
    Vector<float> w = Vector<float>::Zero(100);
    // In two parts, of two arrays.
    for (const Index begin : {0, 50}) {
      optimizer->add_statistics(begin / 50, {w.data() + begin, 50}, {gradient.data() + begin, 50},
                                statistics);
    }
    const UpdatedVectors vectors{.parameters = {w.data(), 100}, .slots = {}, .rounded = {}};
    optimizer->update(vectors, std::vector{std::span<const float>(gradient.data(), 100)},
                      {.learning_rate = 1, .gradient_scale = 0.5f, .statistics = statistics});
    EXPECT_NEAR(static_cast<double>(w.norm()), std::min(norm, 4.0), 1e-5);
  }
}

}  // namespace
}  // namespace sae
