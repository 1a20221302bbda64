#include "data/sample_checks.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

TEST(SampleChecks, FiniteValuesPass) {
  const std::vector<float> values{0.0f,
                                  -1e30f,
                                  std::numeric_limits<float>::max(),
                                  -0.0f,
                                  std::numeric_limits<float>::denorm_min(),
                                  3.0f};
  DatasetInfo info;
  info.features = 2;
  EXPECT_NO_THROW(check_values(std::as_bytes(std::span(values)), info, 0, "here"));
}

TEST(SampleChecks, ValueThatIsNotFiniteIsNamed) {
  const float infinite = std::numeric_limits<float>::infinity();
  DatasetInfo info;
  info.features = 5;
  for (const float wrong : {infinite, -infinite, std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::size_t at : {7U, 5007U}) {  // In the first block of values and in the second.
      std::vector<float> values(6000, 0.5f);
      values[at] = wrong;
      const auto check = [&] { check_values(std::as_bytes(std::span(values)), info, 40, "here"); };
      const std::string sample = std::to_string(40 + at / 5);
      expect_error<DataError>(check, {"here", "feature 2 of sample " + sample});
      info.feature_names = {"a", "b", "width", "d", "e"};
      expect_error<DataError>(check, {"here", "feature 2 ('width') of sample " + sample});
      info.feature_names.clear();
    }
  }
}

TEST(SampleChecks, LabelOutsideIsNamed) {
  const auto check = [](std::int64_t label) {
    const std::vector<std::int64_t> labels{0, 9, label};
    check_labels(labels, 10, 40, "here");
  };
  EXPECT_NO_THROW(check(9));
  EXPECT_NO_THROW(check(-1));
  for (const std::int64_t wrong : {std::int64_t{10}, std::int64_t{-2}, std::int64_t{1} << 40}) {
    expect_error<DataError>([&] { check(wrong); },
                            {"here", "the label of sample 42 is " + std::to_string(wrong)});
  }
}

}  // namespace
}  // namespace sae
