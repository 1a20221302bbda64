#include "sae/model/joint_objective.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "sae/model/classifier_objective.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "support/gradient_check.hpp"

namespace sae {
namespace {

struct JointObjectives : testing::Test {
  JointObjectives() {
    std::srand(1);  // Of Eigen's random numbers.
    minibatch.inputs = (Matrix<double>::Random(6, 10).array() + 1) / 2;
    minibatch.labels = {0, 1, 2, 1, 0, 2, kNoLabel, 1, kNoLabel, 2};
    minibatch.samples = {4, 9, 1, 77, 5, 30, 2, 3, 12, 11};
    minibatch.global_size = 10;
  }

  static Topology topology(Normalization normalization, bool lateral,
                           Activation activation = Activation::kTanh) {
    return {.inputs = 6,
            .hidden = {{5, activation}, {4, activation}},
            .classes = 3,
            .normalization = normalization,
            .lateral = lateral};
  }
  static JointSettings settings(double weight, double noise) {
    return {.layers = {0, 2},
            .classifies = true,
            .reconstruction_weight = weight,
            .inputs = {.noise = {NoiseKind::kGaussian, noise}, .seed = 3, .stage = 2},
            .layer_noise = {NoiseKind::kGaussian, noise}};
  }
  /// All arrays but weights at random, so that each has an influence.
  static Vector<double> random_parameters(const ParameterLayout& layout) {
    Vector<double> parameters;
    initialize_parameters(layout, 3, parameters, 2);
    for (const ParameterView& view : layout.views()) {
      if (!view.is_weights)
        view_of(parameters, view) += 0.3 * Matrix<double>::Random(view.rows, view.cols);
    }
    return parameters;
  }
  void check(const Topology& topology, const JointSettings& settings) {
    const ParameterLayout layout(topology);
    JointObjective<double> objective(layout, settings);
    const Vector<double> parameters = random_parameters(layout);
    objective.stage_begins(parameters);
    // Of ten parameters of a combinator, each is looked at for some unit.
    expect_gradient_matches_differences(objective, layout, parameters, minibatch, 7);
  }

  Minibatch<double> minibatch;
};

TEST_F(JointObjectives, GradientsMatchDifferences) {
  for (const auto& [name, normalization, description] : normalization_kinds()) {
    for (const bool lateral : {false, true}) {
      for (const double noise : {0.0, 0.3}) {
        SCOPED_TRACE(name + (lateral ? ", lateral" : ""));
        check(topology(normalization, lateral), settings(3, noise));
      }
    }
  }
}

TEST_F(JointObjectives, GradientsOfEachActivationAndVisibleUnitMatchDifferences) {
  for (const auto& [name, activation, description] : activation_kinds()) {
    for (const auto& [units, visible, meaning] : visible_kinds()) {
      SCOPED_TRACE(name + ", " + units);
      Topology network = topology(Normalization::kBatch, false, activation);
      network.visible = visible;
      check(network, settings(3, 0.2));
      network.lateral = true;
      check(network, settings(3, 0.2));
    }
  }
}

TEST_F(JointObjectives, GradientsWithDropoutAndSmoothedLabelsMatchDifferences) {
  JointSettings given = settings(0, 0.3);
  given.label_smoothing = 0.2;
  given.dropout = 0.3;
  for (const auto& [name, normalization, description] : normalization_kinds()) {
    SCOPED_TRACE(name);
    check(topology(normalization, false), given);
    given.reconstruction_weight = 3;
    check(topology(normalization, true), given);
    given.reconstruction_weight = 0;
  }
}

TEST_F(JointObjectives, GradientsWithSamplesDrawnBesidesMatchDifferences) {
  minibatch.besides = minibatch.global_besides = 4;
  minibatch.global_size = 6;
  for (const auto& [name, normalization, description] : normalization_kinds()) {
    for (const bool lateral : {false, true}) {
      SCOPED_TRACE(name + (lateral ? ", lateral" : ""));
      check(topology(normalization, lateral), settings(3, 0.2));
    }
  }
}

TEST_F(JointObjectives, GradientsOfAFreeDecoderMatchDifferences) {
  for (const auto& [name, normalization, description] : normalization_kinds()) {
    for (const bool lateral : {false, true}) {
      SCOPED_TRACE(name + (lateral ? ", lateral" : ""));
      Topology network = topology(normalization, lateral);
      network.decoder = Decoder::kFree;
      check(network, settings(3, 0.2));
      JointSettings first = settings(4, 0.2);
      first.layers = {0, 1};
      first.classifies = false;
      check(network, first);
    }
  }
}

TEST_F(JointObjectives, GradientsOfPretrainedLayersMatchDifferences) {
  for (const auto& [name, normalization, description] : normalization_kinds()) {
    for (const bool lateral : {false, true}) {
      for (const Index layer : {0, 1}) {
        SCOPED_TRACE(name + (lateral ? ", lateral" : ""));
        JointSettings given = settings(4, 0.2);
        given.layers = {layer, layer + 1};
        given.classifies = false;
        given.inputs.layer = layer;
        check(topology(normalization, lateral), given);
      }
    }
  }
}

TEST_F(JointObjectives, WithoutNoiseAndDecoderItIsTheClassifier) {
  const Topology network = topology(Normalization::kNone, false, Activation::kSigmoid);
  const ParameterLayout layout(network);
  const Vector<double> parameters = random_parameters(layout);
  JointObjective<double> joint(layout, settings(0, 0));
  ClassifierObjective<double> classifier(layout);
  Vector<double> expected = Vector<double>::Zero(layout.size());
  Vector<double> got = expected;
  const auto sums = classifier.evaluate(parameters, minibatch, 1, expected);
  const auto joint_sums = joint.evaluate(parameters, minibatch, 1, got);
  EXPECT_NEAR(joint_sums.loss, sums.loss, 1e-12);
  EXPECT_EQ(joint_sums.errors, sums.errors);
  EXPECT_LT((got - expected).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_EQ(joint.flop_per_sample(0), classifier.flop_per_sample(0));
}

}  // namespace
}  // namespace sae
