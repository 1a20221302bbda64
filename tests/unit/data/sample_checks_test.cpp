#include "data/sample_checks.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

TEST(SampleChecks, PixelsWithinTheUnitIntervalPass) {
  const std::vector<float> pixels{0.0f, 1.0f, 0.5f, -0.0f};
  EXPECT_NO_THROW(check_pixels(std::as_bytes(std::span(pixels)), 2, 0, "here"));
}

TEST(SampleChecks, PixelOutsideIsNamed) {
  const float beyond = std::nextafter(1.0f, 2.0f);
  const float below = -std::numeric_limits<float>::denorm_min();
  const float infinite = std::numeric_limits<float>::infinity();
  for (const float wrong : {beyond, below, infinite, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> pixels(15, 0.5f);
    pixels[7] = wrong;
    expect_error<DataError>([&] { check_pixels(std::as_bytes(std::span(pixels)), 5, 40, "here"); },
                            {"here", "pixel 2 of sample 41"});
  }
}

TEST(SampleChecks, LabelOutsideIsNamed) {
  const auto check = [](std::int64_t label) {
    const std::vector<std::int64_t> labels{0, 9, label};
    check_labels(labels, 10, 40, "here");
  };
  EXPECT_NO_THROW(check(9));
  for (const std::int64_t wrong : {std::int64_t{10}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    expect_error<DataError>([&] { check(wrong); },
                            {"here", "the label of sample 42 is " + std::to_string(wrong)});
  }
}

}  // namespace
}  // namespace sae
