#include "sae/kernels/elementwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sae {
namespace {

double logistic(double a) { return 1 / (1 + std::exp(-a)); }

TEST(Logistic, AddsTheBiasOfEachUnitFirst) {
  Matrix<double> x = Matrix<double>::Random(5, 3);
  const Matrix<double> before = x;
  const Vector<double> bias = Vector<double>::Random(5);
  add_bias_and_logistic<double>(bias, x);
  for (Index i = 0; i < 5; ++i) {
    for (Index j = 0; j < 3; ++j) EXPECT_NEAR(x(i, j), logistic(before(i, j) + bias(i)), 1e-15);
  }
}

TEST(Logistic, OfExtremeLogitsInFloatIsFiniteAndWithinZeroAndOne) {
  Matrix<float> x(4, 1);
  x << -1000, -88, 88, 1000;
  add_bias_and_logistic<float>(Vector<float>::Zero(4), x);
  EXPECT_TRUE((x.array() >= 0 && x.array() <= 1).all());
  EXPECT_NEAR(x(3), 1, 1e-6);
}

TEST(LogisticDerivative, IsHTimesOneMinusH) {
  const Matrix<double> h = (Matrix<double>::Random(4, 4).array() + 1) / 2;
  Matrix<double> delta = Matrix<double>::Ones(4, 4);
  multiply_by_logistic_derivative<double>(h, delta);
  EXPECT_EQ(delta(2, 1), h(2, 1) * (1 - h(2, 1)));
}

TEST(BinaryCrossEntropy, IsThatOfTheDefinitionAndLeavesItsDerivative) {
  const Matrix<double> x = (Matrix<double>::Random(7, 5).array() + 1) / 2;
  const Matrix<double> logits = 3 * Matrix<double>::Random(7, 5);
  const Vector<double> bias = Vector<double>::Random(7);
  Matrix<double> delta = logits;
  const double loss = binary_cross_entropy<double>(bias, x, delta);
  double expected = 0;
  for (Index j = 0; j < 5; ++j) {
    for (Index i = 0; i < 7; ++i) {
      const double z = logistic(logits(i, j) + bias(i));
      expected -= x(i, j) * std::log(z) + (1 - x(i, j)) * std::log(1 - z);
      EXPECT_NEAR(delta(i, j), z - x(i, j), 1e-14);
    }
  }
  EXPECT_NEAR(loss, expected, 1e-12 * expected);
}

TEST(BinaryCrossEntropy, OfExtremeLogitsIsTheLogitItself) {
  Matrix<float> logits(2, 1);
  logits << 1000, -1000;
  Matrix<float> x(2, 1);
  x << 0, 1;
  EXPECT_EQ(binary_cross_entropy<float>(Vector<float>::Zero(2), x, logits), 2000);
  EXPECT_TRUE(logits.allFinite());
}

TEST(SoftmaxCrossEntropy, IsThatOfTheDefinitionAndLeavesItsDerivative) {
  const Matrix<double> logits = 2 * Matrix<double>::Random(4, 3);
  const std::vector<std::uint16_t> labels = {2, 0, 3};
  Matrix<double> delta = logits;
  const auto sums = softmax_cross_entropy<double>(labels, delta);
  double expected = 0;
  double errors = 0;
  for (Index j = 0; j < 3; ++j) {
    const Index label = labels[static_cast<std::size_t>(j)];
    const double total = logits.col(j).array().exp().sum();
    expected -= std::log(std::exp(logits(label, j)) / total);
    Index best = 0;
    logits.col(j).maxCoeff(&best);
    errors += best == label ? 0 : 1;
    for (Index k = 0; k < 4; ++k) {
      EXPECT_NEAR(delta(k, j), std::exp(logits(k, j)) / total - (k == label ? 1 : 0), 1e-14);
    }
  }
  EXPECT_NEAR(sums.loss, expected, 1e-13);
  EXPECT_EQ(sums.errors, errors);
}

TEST(SoftmaxCrossEntropy, OfExtremeLogitsIsFinite) {
  Matrix<float> logits(3, 1);
  logits << 1e4f, -1e4f, 0;
  const std::vector<std::uint16_t> labels = {1};
  const auto sums = softmax_cross_entropy<float>(labels, logits);
  EXPECT_EQ(sums.loss, 2e4);
  EXPECT_EQ(sums.errors, 1);
  EXPECT_TRUE(logits.allFinite());
}

TEST(PredictedClass, IsTheFirstOfEquals) {
  Vector<float> logits(4);
  logits << 0, 3, 3, 1;
  EXPECT_EQ(predicted_class<float>(logits), 1);
}

}  // namespace
}  // namespace sae
