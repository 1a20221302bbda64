#include "sae/kernels/elementwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sae/kernels/activation.hpp"
#include "sae/kernels/visible.hpp"

namespace sae {
namespace {

double logistic(double a) { return 1 / (1 + std::exp(-a)); }

TEST(LogisticDerivative, IsHTimesOneMinusH) {
  const Matrix<double> h = (Matrix<double>::Random(4, 4).array() + 1) / 2;
  Matrix<double> delta = Matrix<double>::Ones(4, 4);
  Vector<double> bias_gradient(4);
  multiply_by_derivative<double>(Activation::kSigmoid, h, delta, bias_gradient);
  EXPECT_EQ(delta(2, 1), h(2, 1) * (1 - h(2, 1)));
  EXPECT_LT((bias_gradient - delta.rowwise().sum()).cwiseAbs().maxCoeff(), 1e-15);
}

TEST(Activations, HaveTheDerivativeOfTheirValues) {
  const double width = 1e-6;
  const Matrix<double> a = 3 * Matrix<double>::Random(150, 4);  // More than a block of rows.
  for (const auto& [name, activation, description] : activation_kinds()) {
    const auto value = [kind = activation](const Matrix<double>& at) {
      Matrix<double> h(at.rows(), at.cols());
      activate<double>(kind, at, h);
      return h;
    };
    const Matrix<double> above = value((a.array() + width).matrix());
    const Matrix<double> below = value((a.array() - width).matrix());
    Matrix<double> delta = Matrix<double>::Constant(150, 4, 2);
    Vector<double> sums(150);
    multiply_by_derivative<double>(activation, kept_of<double>(activation, value(a), a), delta,
                                   sums);
    const Matrix<double> expected = (above - below) / width;
    EXPECT_LT((delta - expected).cwiseAbs().maxCoeff(), 1e-8) << name;
    EXPECT_LT((sums - delta.rowwise().sum()).cwiseAbs().maxCoeff(), 1e-14) << name;
  }
}

TEST(Gelu, IsNextToTheArgumentTimesTheNormalDistribution) {
  const Matrix<double> a = 5 * Matrix<double>::Random(100, 1);
  Matrix<double> h(100, 1);
  activate<double>(Activation::kGelu, a, h);
  for (Index i = 0; i < a.rows(); ++i) {
    const double exact = a(i) * std::erfc(-a(i) / std::sqrt(2.0)) / 2;
    EXPECT_NEAR(h(i), exact, 5e-4);
  }
}

TEST(BinaryCrossEntropy, IsThatOfTheDefinitionAndLeavesItsDerivative) {
  const Matrix<double> x = (Matrix<double>::Random(7, 5).array() + 1) / 2;
  const Matrix<double> logits = 3 * Matrix<double>::Random(7, 5);
  const Vector<double> bias = Vector<double>::Random(7);
  Matrix<double> delta = logits;
  Vector<double> bias_gradient(7);
  const double loss =
      reconstruction_loss<double>(Visible::kBernoulli, bias, x, delta, delta, bias_gradient);
  EXPECT_LT((bias_gradient - delta.rowwise().sum()).cwiseAbs().maxCoeff(), 1e-14);
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
  Vector<float> bias_gradient(2);
  EXPECT_EQ(reconstruction_loss<float>(Visible::kBernoulli, Vector<float>::Zero(2), x, logits,
                                       logits, bias_gradient),
            2000);
  EXPECT_TRUE(logits.allFinite());
}

TEST(BinaryCrossEntropy, OfBfloat16IsThatOfItsValuesInFloat) {
  const Matrix<bfloat16> x = ((Matrix<float>::Random(40, 5).array() + 1) / 2).cast<bfloat16>();
  Matrix<float> logits = 3 * Matrix<float>::Random(40, 5);
  Matrix<float> wide = logits;
  const Vector<float> bias = Vector<float>::Random(40);
  Matrix<bfloat16> delta(40, 5);
  Vector<float> bias_gradient(40);
  Vector<float> expected_bias_gradient(40);
  const double loss =
      reconstruction_loss<bfloat16>(Visible::kBernoulli, bias, x, logits, delta, bias_gradient);
  const double expected =
      reconstruction_loss<float>(Visible::kBernoulli, bias, Matrix<float>(x.cast<float>()), wide,
                                 wide, expected_bias_gradient);
  EXPECT_EQ(loss, expected);
  EXPECT_EQ(bias_gradient, expected_bias_gradient);
  EXPECT_EQ(delta, (wide.cast<bfloat16>()));
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
