#include "sae/model/finished_model.hpp"

#include <gtest/gtest.h>

#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

Vector<float> random_parameters(const ParameterLayout& layout) {
  Vector<float> parameters;
  initialize_parameters(layout, 3, parameters, 2);
  for (const ParameterView& view : layout.views()) {
    if (!view.is_weights) {
      view_of(parameters, view) += 0.3F * Matrix<float>::Random(view.rows, view.cols);
    }
  }
  return parameters;
}

TEST(FinishedModel, GivesTheLogitsAndCodesOfTheNetworkThatWasTrained) {
  for (const auto& [name, normalization, description] : normalization_kinds()) {
    for (const auto& [kind, activation, meaning] : activation_kinds()) {
      SCOPED_TRACE(name + ", " + kind);
      const ParameterLayout layout({.inputs = 13,
                                    .hidden = {{9, activation}, {7, activation}},
                                    .classes = 4,
                                    .normalization = normalization,
                                    .lateral = true});
      const Vector<float> trained = random_parameters(layout);
      const ParameterLayout to(finished(layout.topology()));
      const Vector<float> model = finished(layout, span_of(trained));
      EXPECT_EQ(to.topology().decoder, Decoder::kNone);
      EXPECT_FALSE(to.topology().lateral);
      EXPECT_EQ(to.topology().normalization == Normalization::kLayer,
                normalization == Normalization::kLayer);
      const Matrix<float> x = Matrix<float>::Random(13, 5);
      const Matrix<float> expected = classify<float>(layout, trained, x);
      EXPECT_LT((classify<float>(to, model, x) - expected).cwiseAbs().maxCoeff(), 1e-5);
      const Matrix<float> codes = encode<float>(layout, {0, 2}, trained, x);
      EXPECT_LT((encode<float>(to, {0, 2}, model, x) - codes).cwiseAbs().maxCoeff(), 1e-5);
    }
  }
}

TEST(FinishedModel, IsThePlainNetworkItself) {
  const ParameterLayout layout({.inputs = 13, .hidden = {9, 7}, .classes = 4});
  const Vector<float> trained = random_parameters(layout);
  EXPECT_EQ(finished(layout.topology()), layout.topology());
  EXPECT_EQ(finished(layout, span_of(trained)), trained);
}

}  // namespace
}  // namespace sae
