#include "monitor/line_chart.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

namespace sae {
namespace {

LineChart chart_of(std::vector<LineChart::Point> points) {
  return {.x_label = "epoch",
          .y_label = "loss",
          .unit = "",
          .description = "how it went",
          .series = {{"training", std::move(points)}}};
}

/// The numbers of the first curve: x, y, x, y, ...
std::vector<double> drawn(const std::string& svg) {
  std::smatch path;
  std::vector<double> numbers;
  if (!std::regex_search(svg, path, std::regex("class=\"line s1\" d=\"([^\"]*)\""))) return numbers;
  const std::string text = path[1];
  const std::regex number("[-0-9.]+");
  for (std::sregex_iterator i(text.begin(), text.end(), number), end; i != end; ++i) {
    numbers.push_back(std::stod(i->str()));
  }
  return numbers;
}

TEST(Axis, EndsAndStepsAreRoundAndHoldTheValues) {
  const Axis axis = axis_for(64.2, 83.9, 5);
  EXPECT_DOUBLE_EQ(axis.low, 60);
  EXPECT_DOUBLE_EQ(axis.high, 85);
  EXPECT_DOUBLE_EQ(axis.step, 5);
  const Axis small = axis_for(0, 0.0031, 5);
  EXPECT_DOUBLE_EQ(small.step, 0.001);
  EXPECT_DOUBLE_EQ(small.high, 0.004);
}

TEST(Axis, OfOneValueIsNotEmpty) {
  for (const double value : {0.0, 5.0, -3.0, 1e300}) {
    const Axis axis = axis_for(value, value, 5);
    EXPECT_LT(axis.low, axis.high) << value;
    EXPECT_GT(axis.step, 0) << value;
  }
}

TEST(LineChart, LargerValuesStandHigherAndLaterOnesFurtherRight) {
  const auto numbers = drawn(svg_of(chart_of({{1, 10}, {2, 30}, {3, 20}})));
  ASSERT_EQ(numbers.size(), 6u);
  EXPECT_LT(numbers[0], numbers[2]);
  EXPECT_LT(numbers[2], numbers[4]);
  EXPECT_NEAR(numbers[2] - numbers[0], numbers[4] - numbers[2], 0.11);  // Printed to 0.1.
  EXPECT_GT(numbers[1], numbers[5]);
  EXPECT_GT(numbers[5], numbers[3]);
  EXPECT_NEAR(numbers[1] - numbers[5], numbers[5] - numbers[3], 0.11);
}

TEST(LineChart, WhatIsNotFiniteIsLeftOut) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = svg_of(chart_of({{1, 1}, {2, kNan}, {3, HUGE_VAL}, {4, 2}}));
  EXPECT_EQ(drawn(svg).size(), 4u);
  EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
  EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
}

// As of a damaged metrics.jsonl.
TEST(LineChart, OfValuesThatHardlyDifferOrAreHugeEnds) {
  for (const double x : {0.0, 1e17, 1e300, -1e17}) {
    for (const double y : {0.0, 1e17, 1e300, 5e-324}) {
      const double next = std::nextafter(y, 1e308);
      const auto svg = svg_of(chart_of({{x, y}, {x + 1, next}, {x + 2, -y}}));
      EXPECT_LT(svg.size(), 20000u) << x << ' ' << y;
      EXPECT_EQ(svg.find("nan"), std::string::npos) << x << ' ' << y;
    }
  }
}

// The marks of 1 to 10 are odd numbers: 11 would stand beside the drawing.
TEST(LineChart, NothingIsMarkedBeyondTheLastEpoch) {
  for (int last = 2; last <= 40; ++last) {
    std::vector<LineChart::Point> points;
    for (int i = 1; i <= last; ++i) points.push_back({1.0 * i, 1});
    const std::string svg = svg_of(chart_of(points));
    for (int beyond = last + 1; beyond <= last + 10; ++beyond) {
      EXPECT_EQ(svg.find("\"middle\">" + std::to_string(beyond) + "<"), std::string::npos) << last;
    }
  }
}

TEST(LineChart, WithoutPointsThereIsNone) {
  EXPECT_EQ(svg_of(chart_of({})), "");
  EXPECT_NE(svg_of(chart_of({{1, 0}})), "");
}

TEST(LineChart, TellsItsDescriptionAndItsValues) {
  LineChart chart = chart_of({{7, 0.125}});
  chart.series[0].name = "<b>";
  const std::string svg = svg_of(chart);
  EXPECT_NE(svg.find("aria-label=\"how it went\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("<title>epoch 7, &lt;b&gt;: 0.125</title>"), std::string::npos) << svg;
}

TEST(LineChart, ManyPointsMakeASmallDrawing) {
  std::vector<LineChart::Point> points;
  for (int i = 1; i <= 100000; ++i) points.push_back({1.0 * i, std::sin(i / 1e4)});
  const std::string svg = svg_of(chart_of(points));
  EXPECT_LT(svg.size(), 30000u);
  EXPECT_NE(svg.find("epoch 100000,"), std::string::npos);
}

}  // namespace
}  // namespace sae
