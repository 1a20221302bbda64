#include "sae/model/stacked_autoencoder.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sae {
namespace {

const ParameterLayout kLayout({.inputs = 784, .hidden = {100, 50}, .classes = 10});

TEST(InitialParameters, AreUniformWithinTheLimitOfTheirLayer) {
  Vector<float> parameters;
  initialize_parameters(kLayout, 1, parameters);
  for (const ParameterView& view : kLayout.views()) {
    const auto values = view_of(parameters, view).array();
    if (!view.is_weights) {
      EXPECT_TRUE((values == 0).all()) << view.name;
      continue;
    }
    const double limit = 4 * std::sqrt(6.0 / static_cast<double>(view.rows + view.cols));
    const auto size = static_cast<double>(view.size());
    EXPECT_LE(values.abs().maxCoeff(), limit) << view.name;
    EXPECT_GT(values.abs().maxCoeff(), 0.98 * limit) << view.name;
    // Mean 0 and mean square limit^2 / 3, within five standard deviations.
    EXPECT_NEAR(values.cast<double>().mean(), 0, 5 * limit / std::sqrt(3 * size)) << view.name;
    EXPECT_NEAR(values.cast<double>().square().mean(), limit * limit / 3,
                5 * limit * limit * std::sqrt(4.0 / 45 / size))
        << view.name;
  }
}

TEST(InitialParameters, AreProportionalToTheirScale) {
  Vector<float> usual;
  Vector<float> small;
  initialize_parameters(kLayout, 1, usual);
  initialize_parameters(kLayout, 1, small, 0.5);
  EXPECT_EQ(small, usual / 8);  // A power of two: exact.
}

TEST(InitialParameters, OfALayerDoNotDependOnTheLayersAboveIt) {
  Vector<float> small;
  Vector<float> large;
  const ParameterLayout other({.inputs = 784, .hidden = {100}, .classes = 3});
  initialize_parameters(kLayout, 1, large);
  initialize_parameters(other, 1, small);
  EXPECT_EQ(view_of(small, other.hidden(0).weights), view_of(large, kLayout.hidden(0).weights));
  initialize_parameters(other, 2, small);
  EXPECT_NE(view_of(small, other.hidden(0).weights), view_of(large, kLayout.hidden(0).weights));
}

TEST(Classify, IsTheNetworkWrittenOut) {
  const ParameterLayout layout({.inputs = 3, .hidden = {2, 2}, .classes = 2});
  Vector<double> p;
  initialize_parameters(layout, 5, p);
  for (const ParameterView& view : layout.views()) view_of(p, view).array() += 0.25;
  const Matrix<double> x = Matrix<double>::Random(3, 4);
  const auto layer = [&](const LayerViews& views, const Matrix<double>& in) {
    Matrix<double> out = view_of(p, views.weights) * in;
    out.colwise() += view_of(p, views.bias).col(0);
    return out;
  };
  const auto logistic = [](const Matrix<double>& a) -> Matrix<double> {
    return 1 / (1 + (-a.array()).exp());
  };
  const Matrix<double> h1 = logistic(layer(layout.hidden(0), x));
  const Matrix<double> h2 = logistic(layer(layout.hidden(1), h1));
  EXPECT_LT((encode<double>(layout, {0, 1}, p, x) - h1).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_EQ(encode<double>(layout, {0, 0}, p, x), x);
  const auto decoder = [&](const LayerViews& views, const Matrix<double>& h) {
    Matrix<double> out = view_of(p, views.weights).transpose() * h;
    out.colwise() += view_of(p, views.visible_bias).col(0);
    return logistic(out);
  };
  const Matrix<double> z = decoder(layout.hidden(0), decoder(layout.hidden(1), h2));
  EXPECT_LT((decode<double>(layout, 2, p, h2) - z).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LT((classify<double>(layout, p, x) - layer(layout.output(), h2)).cwiseAbs().maxCoeff(),
            1e-14);
}

}  // namespace
}  // namespace sae
