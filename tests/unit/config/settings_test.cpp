#include "sae/config/settings.hpp"

#include <gtest/gtest.h>

#include "sae/config/recipes.hpp"
#include "sae/config/values.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

Configuration configuration(const std::string& text) {
  return configuration_of(parse_settings(text, "config.cfg"));
}

TEST(Settings, HaveTheDefaultsOfTheConfiguration) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const std::string initial = setting.write(Configuration());
    Configuration again;
    if (!initial.empty()) setting.read(again, initial);
    EXPECT_EQ(setting.write(again), initial);
  }
  EXPECT_EQ(to_text(configuration_of({})), to_text(Configuration()));
}

TEST(Settings, AreReadBackAsTheyWereWritten) {
  Configuration c = configuration(
      "units=30,20\ncorruption=.1,.2\nmomentum=0.1\ncorruption-at=image\nseed="
      "18446744073709551615\n"
      "weight-decay=1e-5\nreproducible=true\nthreads=auto\npretrain-weight-decay=1e-3,0\n");
  c.data = "a b.h5";
  const std::string text = to_text(c);
  EXPECT_EQ(to_text(configuration(text)), text);
  EXPECT_NE(text.find("\nunits=30,20\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nweight-decay=1e-5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nseed=18446744073709551615\n"), std::string::npos) << text;
}

TEST(Settings, OfAListThatWouldLookLikeOneNumberAreReadBackAsWell) {
  Configuration c = configuration("units=9,9\n");
  c.layers[0].learning_rate = 0;
  c.layers[1].learning_rate = 5;
  const Configuration again = configuration(to_text(c));
  EXPECT_EQ(again.layers[0].learning_rate, 0);
  EXPECT_EQ(again.layers[1].learning_rate, 5);
}

TEST(Settings, OfWhichOneIsWrongAreRefusedWithTheLine) {
  expect_error<UsageError>([] { configuration("units=9\n\nbatch-size=ten\n"); },
                           {"In config.cfg, line 3: ", "--batch-size", "'ten'"});
}

TEST(Settings, OfTheRecipesAreUnderstood) {
  EXPECT_EQ(built_in_recipes().size(), 3u);
  for (const auto& [name, text] : built_in_recipes()) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(configuration(text));
  }
}

}  // namespace
}  // namespace sae
