#include "sae/kernels/products.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>

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

TEST_F(Products, OuterSumsOverSamples) {
  Matrix<float> result(37, 53);
  multiply_outer<float>(y, x, result);
  const auto expected = product(y.cast<double>(), x.transpose().cast<double>());
  EXPECT_LT((result.cast<double>() - expected).cwiseAbs().maxCoeff(), kTolerance);
}

TEST_F(Products, LogisticIsThatOfTheProductAndTheBiasOfEachUnit) {
  const Vector<float> bias = Vector<float>::Random(37);
  Matrix<float> result(37, 29);
  Matrix<float> inputs;
  multiply_and_activate<float>(Activation::kSigmoid, w, x, bias, result, inputs);
  EXPECT_EQ(inputs.size(), 0);  // The derivative does not need them.
  const Matrix<double> logits =
      product(w.cast<double>(), x.cast<double>()).colwise() + bias.cast<double>();
  const Matrix<double> expected = 1 / (1 + (-logits.array()).exp());
  EXPECT_LT((result.cast<double>() - expected).cwiseAbs().maxCoeff(), kTolerance);
}

TEST_F(Products, LogisticOfExtremeLogitsIsFiniteAndWithinZeroAndOne) {
  Matrix<float> result(37, 29);
  Matrix<float> inputs;
  multiply_and_activate<float>(Activation::kSigmoid, 1e4f * w, x, Vector<float>::Zero(37), result,
                               inputs);
  EXPECT_TRUE((result.array() >= 0 && result.array() <= 1).all());
}

TEST_F(Products, WriteIntoPartsOfLargerMatrices) {
  Matrix<float> large = Matrix<float>::Constant(40, 60, 7);
  multiply<float>(w, x, large.block(2, 3, 37, 29));
  const auto expected = product(w.cast<double>(), x.cast<double>());
  EXPECT_LT((large.block(2, 3, 37, 29).cast<double>() - expected).cwiseAbs().maxCoeff(),
            kTolerance);
  EXPECT_TRUE((large.topRows(2).array() == 7).all() && (large.bottomRows(1).array() == 7).all());
}

TEST_F(Products, OfBfloat16AreThoseOfItsValuesRoundedOnce) {
  const Matrix<bfloat16> w16 = w.cast<bfloat16>();
  const Matrix<bfloat16> x16 = x.cast<bfloat16>();
  const Matrix<bfloat16> y16 = y.cast<bfloat16>();
  const auto forward = product(w16.cast<double>(), x16.cast<double>());
  Matrix<float> wide(37, 29);
  multiply<bfloat16, float>(w16, x16, wide);
  EXPECT_LT((wide.cast<double>() - forward).cwiseAbs().maxCoeff(), kTolerance);
  // Half a unit in the last of 8 bits of a sum below 32.
  constexpr double kRounding = 32.0 / 512;
  Matrix<bfloat16> narrow(37, 29);
  multiply<bfloat16>(w16, x16, narrow);
  EXPECT_LT((narrow.cast<double>() - forward).cwiseAbs().maxCoeff(), kRounding);
  Matrix<bfloat16> back(53, 29);
  multiply_transposed<bfloat16>(w16, y16, back);
  const auto expected_back = product(w16.transpose().cast<double>(), y16.cast<double>());
  EXPECT_LT((back.cast<double>() - expected_back).cwiseAbs().maxCoeff(), kRounding);
  Matrix<float> outer(37, 53);
  multiply_outer<bfloat16, float>(y16, x16, outer);
  const auto expected_outer = product(y16.cast<double>(), x16.transpose().cast<double>());
  EXPECT_LT((outer.cast<double>() - expected_outer).cwiseAbs().maxCoeff(), kTolerance);
}

/// Outputs, inputs and samples of weights and a minibatch.
struct Shape {
  Index outputs, inputs, samples;
};

/// Largest difference, with respect to the length of the summed vectors of values of size 1.
double difference(const Matrix<double>& expected, const auto& found, Index terms) {
  return (expected - found.template cast<double>()).cwiseAbs().maxCoeff() /
         std::sqrt(static_cast<double>(terms));
}

TEST(RoundedProducts, OfAnyShapeWriteWhatBelongsToThemAlone) {
  constexpr double kWide = 1e-6;
  constexpr double kNarrow = 4.0 / 256;
  for (const auto& [outputs, inputs, samples] :
       {Shape{1, 1, 1}, Shape{16, 32, 16}, Shape{17, 33, 15}, Shape{32, 64, 32},
        Shape{10, 500, 100}, Shape{50, 31, 49}, Shape{64, 900, 3}, Shape{900, 10, 33},
        Shape{100, 47, 500}}) {
    const Matrix<bfloat16> w = Matrix<float>::Random(outputs, inputs).cast<bfloat16>();
    const Matrix<bfloat16> x = Matrix<float>::Random(inputs, samples).cast<bfloat16>();
    const Matrix<bfloat16> y = Matrix<float>::Random(outputs, samples).cast<bfloat16>();
    const auto forward = product(w.cast<double>(), x.cast<double>());
    const auto back = product(w.transpose().cast<double>(), y.cast<double>());
    const auto outer = product(y.cast<double>(), x.transpose().cast<double>());
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(testing::Message() << outputs << " " << inputs << " " << samples << " samples, "
                                      << threads << " threads");
      set_product_threads(threads);
      const auto check = [&]<typename R>(R /*element*/, double tolerance) {
        const auto framed = [&](const Matrix<double>& expected, Index terms, const auto& compute) {
          Matrix<R> large = Matrix<R>::Constant(expected.rows() + 3, expected.cols() + 2, R(7));
          auto inner = large.block(2, 1, expected.rows(), expected.cols());
          compute(inner);
          EXPECT_LT(difference(expected, inner, terms), tolerance);
          inner.setConstant(R(7));
          EXPECT_TRUE((large.array() == R(7)).all());
        };
        framed(forward, inputs, [&](auto r) { multiply<bfloat16, R>(w, x, r); });
        framed(back, outputs, [&](auto r) { multiply_transposed<bfloat16, R>(w, y, r); });
        framed(outer, samples, [&](auto r) { multiply_outer<bfloat16, R>(y, x, r); });
      };
      check(float{}, kWide);
      check(bfloat16{}, kNarrow);
    }
  }
  set_product_threads(1);
}

TEST_F(Products, OfAnEmptyMinibatchTheOuterSumIsZero) {
  Matrix<float> result = Matrix<float>::Ones(37, 53);
  multiply_outer<float>(Matrix<float>(37, 0), Matrix<float>(53, 0), result);
  EXPECT_EQ(result, (Matrix<float>::Zero(37, 53)));
}

TEST(ProductThreads, AreThoseOfAllParallelLoops) {
  set_product_threads(3);
  EXPECT_EQ(omp_get_max_threads(), 3);
  set_product_threads(1);
  EXPECT_EQ(omp_get_max_threads(), 1);
}

}  // namespace
}  // namespace sae
