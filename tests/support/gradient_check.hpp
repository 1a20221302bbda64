#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sae/model/objective.hpp"

namespace sae {

/// Compares the gradient of an objective with central differences, at every parameter of its
/// trainable range, or at the first of so many of each array, in double.
inline void expect_gradient_matches_differences(Objective<double>& objective,
                                                const ParameterLayout& layout,
                                                Vector<double> parameters,
                                                const Minibatch<double>& minibatch,
                                                Index of_so_many = 1) {
  const double width = 5e-6;
  const double untouched = 123;
  Vector<double> gradient = Vector<double>::Constant(layout.size(), untouched);
  Vector<double> ignored = gradient;
  objective.evaluate(parameters, minibatch, 1, gradient);
  for (const ParameterView& view : layout.views()) {
    for (Index i = view.offset; i < view.offset + view.size(); i += of_so_many) {
      if (!objective.trainable_range().contains(i)) {
        ASSERT_EQ(gradient(i), untouched) << view.name;
        continue;
      }
      const double at = parameters(i);
      parameters(i) = at + width;
      const double above = objective.evaluate(parameters, minibatch, 1, ignored).loss;
      parameters(i) = at - width;
      const double below = objective.evaluate(parameters, minibatch, 1, ignored).loss;
      parameters(i) = at;
      // The differences are off by width^2 times a third derivative, and by the rounding of
      // the loss, 1e-15 of about 100, over the width.
      ASSERT_NEAR(gradient(i), (above - below) / (2 * width),
                  1e-7 * std::max(1.0, std::abs(gradient(i))))
          << view.name << ", element " << i - view.offset;
    }
  }
}

}  // namespace sae
