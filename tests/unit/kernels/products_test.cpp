#include "sae/kernels/products.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

/// The product by its definition, in double.
Matrix<double> product(const Matrix<double>& a, const Matrix<double>& b) {
  Matrix<double> c = Matrix<double>::Zero(a.rows(), b.cols());
  for (Index i = 0; i < a.rows(); ++i) {
    for (Index j = 0; j < b.cols(); ++j) {
      for (Index k = 0; k < a.cols(); ++k) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

struct Products : testing::Test {
  Matrix<float> w = Matrix<float>::Random(37, 53);
  Matrix<float> x = Matrix<float>::Random(53, 29);
  Matrix<float> y = Matrix<float>::Random(37, 29);
  // Sums of about 50 terms of size 1, each rounded at 2^-24.
  static constexpr double kTolerance = 1e-5;
};

TEST_F(Products, MultiplyIsTheProduct) {
  Matrix<float> result(37, 29);
  multiply<float>(w, x, result);
  const auto expected = product(w.cast<double>(), x.cast<double>());
  EXPECT_LT((result.cast<double>() - expected).cwiseAbs().maxCoeff(), kTolerance);
}

TEST_F(Products, MultiplyTransposedTurnsTheWeights) {
  Matrix<float> result(53, 29);
  multiply_transposed<float>(w, y, result);
  const auto expected = product(w.transpose().cast<double>(), y.cast<double>());
  EXPECT_LT((result.cast<double>() - expected).cwiseAbs().maxCoeff(), kTolerance);
}

TEST_F(Products, OuterSumsOverSamplesAndAddAddsToIt) {
  Matrix<float> result(37, 53);
  multiply_outer<float>(y, x, result);
  const auto expected = product(y.cast<double>(), x.transpose().cast<double>());
  EXPECT_LT((result.cast<double>() - expected).cwiseAbs().maxCoeff(), kTolerance);
  add_outer<float>(y, x, result);
  EXPECT_LT((result.cast<double>() - 2 * expected).cwiseAbs().maxCoeff(), 2 * kTolerance);
}

TEST_F(Products, OfAnEmptyMinibatchTheOuterSumIsZero) {
  Matrix<float> result = Matrix<float>::Ones(37, 53);
  multiply_outer<float>(Matrix<float>(37, 0), Matrix<float>(53, 0), result);
  EXPECT_EQ(result, (Matrix<float>::Zero(37, 53)));
}

}  // namespace
}  // namespace sae
