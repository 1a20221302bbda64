#include "line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report_view.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostPoints = 300;
constexpr std::size_t kMostTargets = 60;
constexpr double kLargest = 1e100;  // What is beyond is damaged, and no axis could hold it.

// Of the drawing, in its own units: about a pixel each on a phone.
constexpr double kWidth = 440;
constexpr double kHeight = 250;
constexpr double kLeft = 52;
constexpr double kRight = 14;
constexpr double kTop = 27;
constexpr double kBottom = 40;

std::vector<LineChart::Point> drawn_points(const LineChart::Series& series) {
  std::vector<LineChart::Point> finite;
  std::ranges::copy_if(series.points, std::back_inserter(finite), [](const auto& point) {
    return std::abs(point.x) < kLargest && std::abs(point.y) < kLargest;  // NaN is not.
  });
  if (finite.size() <= kMostPoints) return finite;
  std::vector<LineChart::Point> some;
  for (std::size_t i = 0; i < kMostPoints; ++i) {
    some.push_back(finite[i * (finite.size() - 1) / (kMostPoints - 1)]);
  }
  return some;
}

std::string tenths(double value) { return fmt::format("{:.1f}", value); }

class Drawing {
 public:
  Drawing(const LineChart& chart, Axis x, Axis y) : chart_(chart), x_(x), y_(y) {}

  double left(double x) const {
    return kLeft + (kWidth - kLeft - kRight) * (x - x_.low) / (x_.high - x_.low);
  }
  double top(double y) const {
    return kHeight - kBottom - (kHeight - kTop - kBottom) * (y - y_.low) / (y_.high - y_.low);
  }

  Json y_marks() const {
    Json marks = Json::array();
    for (long mark = 0; mark <= y_.marks(); ++mark) {
      const double y = y_.low + static_cast<double>(mark) * y_.step;
      marks.push_back({{"y", tenths(top(y))},
                       {"text_x", kLeft - 6},
                       {"text_y", tenths(top(y) + 4)},
                       {"value", fmt::format("{:.6g}", std::abs(y) < y_.step / 2 ? 0 : y)}});
    }
    return marks;
  }

  Json x_marks() const {
    Json marks = Json::array();
    for (long mark = 0; mark <= x_.marks(); ++mark) {
      const double x = x_.low + static_cast<double>(mark) * x_.step;
      marks.push_back({{"x", tenths(left(x))},
                       {"text_y", kHeight - kBottom + 17},
                       {"value", fmt::format("{:.0f}", x)}});
    }
    return marks;
  }

  Json curve(const LineChart::Series& series, std::size_t number) const {
    const auto points = drawn_points(series);
    if (points.empty()) return nullptr;
    std::string path;
    Json targets = Json::array();
    const std::size_t every = (points.size() + kMostTargets - 1) / kMostTargets;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto [x, y] = points[i];
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", left(x), top(y));
      // A larger target than the curve, which shows the value to who points at it.
      if (i % every != 0 && i + 1 != points.size()) continue;
      targets.push_back({{"x", tenths(left(x))},
                         {"y", tenths(top(y))},
                         {"title", fmt::format("{} {:.0f}, {}: {:.5g}{}", chart_.x_label, x,
                                               series.name, y, chart_.unit)}});
    }
    return {{"number", number},
            {"path", path},
            {"end_x", tenths(left(points.back().x))},
            {"end_y", tenths(top(points.back().y))},
            {"targets", std::move(targets)}};
  }

 private:
  const LineChart& chart_;
  Axis x_;
  Axis y_;
};

}  // namespace

Axis axis_for(double low, double high, int marks) {
  // Steps have to be far above the rounding of values.
  const double least = std::max(1e-12 * std::max(std::abs(low), std::abs(high)), 1e-100);
  if (!(high - low > least)) {
    const double around = std::max(std::abs(low) * 0.01, 1e-6);
    low -= around;
    high += around;
  }
  const double raw = (high - low) / marks;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double round : {5.0, 2.0, 1.0}) {
    if (round * power >= raw * (1 - 1e-9)) step = round * power;
  }
  return {step * std::floor(low / step + 1e-9), step * std::ceil(high / step - 1e-9), step};
}

std::string svg_of(const LineChart& chart) {
  std::vector<LineChart::Point> all;
  for (const auto& series : chart.series) {
    std::ranges::copy(drawn_points(series), std::back_inserter(all));
  }
  if (all.empty()) return {};
  const auto [first, last] = std::ranges::minmax_element(all, {}, &LineChart::Point::x);
  const auto [lowest, highest] = std::ranges::minmax_element(all, {}, &LineChart::Point::y);
  const double low = chart.from_zero ? std::min(0.0, lowest->y) : lowest->y;
  const double high = chart.from_zero && highest->y <= low ? low + 1 : highest->y;
  // Epochs are whole: between two of them nothing is marked.
  const double end = std::max(last->x, first->x + std::max(1.0, 1e-12 * std::abs(first->x)));
  const double every = std::max(1.0, axis_for(first->x, end, 8).step);
  const Drawing drawing(chart, {first->x, end, every}, axis_for(low, high, 5));
  Json curves = Json::array();
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    Json curve = drawing.curve(chart.series[i], i + 1);
    if (!curve.is_null()) curves.push_back(std::move(curve));
  }
  return render(kChartTemplate, {{"width", kWidth},
                                 {"height", kHeight},
                                 {"description", chart.description},
                                 {"left", kLeft},
                                 {"right", kWidth - kRight},
                                 {"bottom", kHeight - kBottom},
                                 {"label_y", kHeight - 6},
                                 {"x_label", chart.x_label},
                                 {"y_label", chart.y_label},
                                 {"y_marks", drawing.y_marks()},
                                 {"x_marks", drawing.x_marks()},
                                 {"curves", std::move(curves)}});
}

}  // namespace sae
