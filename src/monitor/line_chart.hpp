#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace sae {

/// Curves over a common axis, drawn as SVG. Colours come from the style sheet of the page, by the
/// classes s1, s2, ... of the series.
struct LineChart {
  struct Point {
    double x = 0;
    double y = 0;
  };
  struct Series {
    std::string name;
    std::vector<Point> points;  ///< By rising x. What is not finite is left out.
  };
  std::string x_label;  ///< Values of x are whole numbers.
  std::string y_label;
  std::string unit;         ///< Behind a value of y, such as " %".
  std::string description;  ///< For those who do not see it.
  bool from_zero = false;   ///< Whether the axis of y begins with 0.
  std::vector<Series> series;
};

/// Ends of an axis and the values that it marks, round ones, such that the axis holds [low, high].
struct Axis {
  double low = 0;
  double high = 0;
  double step = 0;
  /// Whole steps from end to end.
  long marks() const { return static_cast<long>((high - low) / step * (1 + 1e-9)); }
};
Axis axis_for(double low, double high, int marks);

/// A few hundred points of each series are drawn. Empty if there is none.
std::string svg_of(const LineChart& chart);

}  // namespace sae
