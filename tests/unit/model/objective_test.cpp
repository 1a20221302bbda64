#include "sae/model/objective.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "sae/model/autoencoder_objective.hpp"
#include "sae/model/classifier_objective.hpp"
#include "sae/model/denoising_objective.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "support/gradient_check.hpp"

namespace sae {
namespace {

struct Objectives : testing::Test {
  ParameterLayout layout{Topology{.inputs = 13, .hidden = {11, 7, 5}, .classes = 4}};
  Vector<double> parameters;
  Minibatch<double> minibatch;

  Objectives() {
    std::srand(1);  // Of Eigen's random numbers.
    initialize_parameters(layout, 3, parameters);
    for (const ParameterView& view : layout.views()) {
      if (!view.is_weights) view_of(parameters, view).setRandom();
    }
    minibatch.inputs = (Matrix<double>::Random(13, 6).array() + 1) / 2;
    minibatch.labels = {0, 1, 2, 3, 1, 0};
    minibatch.samples = {4, 9, 1, 77, 5, 30};
    minibatch.global_size = 6;
  }

  DenoisingObjective<double> denoising(Index layer, CorruptionAt at, double level = 0.4) {
    return {layout,
            {.layer = layer,
             .noise = {.level = level},
             .corruption_at = at,
             .seed = 3,
             .stage = static_cast<std::uint32_t>(layer)}};
  }
};

TEST_F(Objectives, DenoisingGradientOfEachLayerMatchesDifferences) {
  for (Index layer = 0; layer < 3; ++layer) {
    for (const auto at : {CorruptionAt::kLayer, CorruptionAt::kImage}) {
      auto objective = denoising(layer, at);
      expect_gradient_matches_differences(objective, layout, parameters, minibatch);
    }
  }
}

TEST_F(Objectives, ClassifierGradientMatchesDifferences) {
  ClassifierObjective<double> objective(layout);
  expect_gradient_matches_differences(objective, layout, parameters, minibatch);
}

TEST(AutoencoderObjective, GradientMatchesDifferences) {
  for (const Visible visible : {Visible::kBernoulli, Visible::kGaussian}) {
    for (const auto& hidden : {std::vector<LayerSpec>{5}, {7, 4}, {6, 3, 5}}) {
      const ParameterLayout layout({.inputs = 9, .hidden = hidden, .visible = visible});
      Vector<double> parameters;
      initialize_parameters(layout, 3, parameters);
      for (const ParameterView& view : layout.views()) {
        if (!view.is_weights) view_of(parameters, view).setRandom();
      }
      Minibatch<double> minibatch;
      minibatch.inputs = (Matrix<double>::Random(9, 4).array() + 1) / 2;
      minibatch.samples = {4, 9, 1, 77};
      AutoencoderObjective<double> objective(layout);
      expect_gradient_matches_differences(objective, layout, parameters, minibatch);
      // Forward, backward and gradient of encoder and decoder; no delta of the inputs.
      double weights = 0;
      for (const ParameterView& view : layout.views()) {
        if (view.is_weights) weights += static_cast<double>(view.size());
      }
      const auto first = static_cast<double>(layout.hidden(0).weights.size());
      EXPECT_EQ(objective.flop_per_sample(0), 2 * (6 * weights - first));
    }
  }
}

TEST_F(Objectives, DenoisingGradientOfGaussianUnitsMatchesDifferences) {
  layout = ParameterLayout(
      {.inputs = 13, .hidden = {11, 7, 5}, .classes = 4, .visible = Visible::kGaussian});
  minibatch.inputs *= 3;
  for (Index layer = 0; layer < 2; ++layer) {
    auto objective = denoising(layer, CorruptionAt::kLayer);
    expect_gradient_matches_differences(objective, layout, parameters, minibatch);
  }
}

TEST_F(Objectives, GradientsOfEachActivationMatchDifferences) {
  for (const auto& [name, activation, description] : activation_kinds()) {
    SCOPED_TRACE(name);
    layout = ParameterLayout({.inputs = 13,
                              .hidden = {{11, activation}, {7, activation}, {5, activation}},
                              .classes = 4});
    ClassifierObjective<double> classifier(layout);
    expect_gradient_matches_differences(classifier, layout, parameters, minibatch);
    for (Index layer = 0; layer < 3; ++layer) {
      auto objective = denoising(layer, CorruptionAt::kLayer, 0);
      expect_gradient_matches_differences(objective, layout, parameters, minibatch);
    }
    const ParameterLayout stack(
        {.inputs = 13, .hidden = {{11, activation}, {7, activation}, {5, activation}}});
    AutoencoderObjective<double> autoencoder(stack);
    expect_gradient_matches_differences(autoencoder, stack, parameters.head(stack.size()),
                                        minibatch);
  }
}

TEST_F(Objectives, ASampleWithoutALabelAddsNothingToTheClassifier) {
  ClassifierObjective<double> objective(layout);
  Vector<double> expected = Vector<double>::Zero(layout.size());
  Vector<double> got = expected;
  Minibatch<double> labelled = minibatch;
  labelled.inputs = minibatch.inputs.leftCols(5);
  labelled.labels.pop_back();
  labelled.samples.pop_back();
  minibatch.labels.back() = kNoLabel;
  const double loss = objective.evaluate(parameters, minibatch, 1, got).loss;
  EXPECT_DOUBLE_EQ(loss, objective.evaluate(parameters, labelled, 1, expected).loss);
  EXPECT_LT((got - expected).cwiseAbs().maxCoeff(), 1e-13);
}

TEST_F(Objectives, LossesAndGradientsOfPartsAddUpToThoseOfTheWhole) {
  ClassifierObjective<double> classifier(layout);
  auto denoiser = denoising(1, CorruptionAt::kLayer);
  for (Objective<double>* objective :
       std::initializer_list<Objective<double>*>{&classifier, &denoiser}) {
    Vector<double> whole = Vector<double>::Zero(layout.size());
    const auto expected = objective->evaluate(parameters, minibatch, 2, whole);
    Vector<double> sum = Vector<double>::Zero(layout.size());
    ObjectiveSums sums;
    for (const Range part : {Range{0, 1}, Range{1, 1}, Range{1, 6}}) {
      Minibatch<double> piece;
      piece.inputs = minibatch.inputs.middleCols(part.begin, part.size());
      piece.labels = {minibatch.labels.begin() + part.begin, minibatch.labels.begin() + part.end};
      piece.samples = {minibatch.samples.begin() + part.begin,
                       minibatch.samples.begin() + part.end};
      Vector<double> gradient = Vector<double>::Zero(layout.size());
      const auto got = objective->evaluate(parameters, piece, 2, gradient);
      sum += gradient;
      sums.loss += got.loss;
      sums.errors += got.errors;
      sums.samples += got.samples;
    }
    EXPECT_NEAR(sums.loss, expected.loss, 1e-12 * expected.loss);
    EXPECT_EQ(sums.errors, expected.errors);
    EXPECT_EQ(sums.samples, 6);
    EXPECT_LT((sum - whole).cwiseAbs().maxCoeff(), 1e-12);
  }
}

TEST_F(Objectives, NoiseChangesWithTheEpochAndVanishesAtLevelZero) {
  Vector<double> gradient = Vector<double>::Zero(layout.size());
  auto noisy = denoising(0, CorruptionAt::kLayer);
  EXPECT_NE(noisy.evaluate(parameters, minibatch, 1, gradient).loss,
            noisy.evaluate(parameters, minibatch, 2, gradient).loss);
  auto clean = denoising(0, CorruptionAt::kLayer, 0);
  EXPECT_EQ(clean.evaluate(parameters, minibatch, 1, gradient).loss,
            clean.evaluate(parameters, minibatch, 2, gradient).loss);
}

TEST_F(Objectives, OfCodesIsThatOfTheirPixels) {
  for (Index layer = 1; layer < 3; ++layer) {
    for (Index encoded = 1; encoded <= layer; ++encoded) {
      auto objective = denoising(layer, CorruptionAt::kLayer);
      Minibatch<double> codes = minibatch;
      codes.inputs = encode<double>(layout, {0, encoded}, parameters, minibatch.inputs);
      codes.encoded_layers = encoded;
      Vector<double> expected = Vector<double>::Zero(layout.size());
      Vector<double> got = expected;
      EXPECT_EQ(objective.evaluate(parameters, codes, 2, got).loss,
                objective.evaluate(parameters, minibatch, 2, expected).loss);
      EXPECT_EQ(got, expected);
    }
  }
}

TEST_F(Objectives, FlopCountTheProductsOfAStep) {
  EXPECT_EQ(denoising(0, CorruptionAt::kLayer).flop_per_sample(0), 2 * 5 * 13 * 11);
  EXPECT_EQ(denoising(1, CorruptionAt::kLayer).flop_per_sample(0), 2 * (13 * 11 + 5 * 11 * 7));
  EXPECT_EQ(denoising(1, CorruptionAt::kLayer).flop_per_sample(1), 2 * 5 * 11 * 7);
  EXPECT_EQ(denoising(1, CorruptionAt::kImage).flop_per_sample(0), 2 * (2 * 13 * 11 + 5 * 11 * 7));
  EXPECT_EQ(ClassifierObjective<double>(layout).flop_per_sample(0),
            2 * (2 * 13 * 11 + 3 * (11 * 7 + 7 * 5 + 5 * 4)));
}

}  // namespace
}  // namespace sae
