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

TEST(Settings, WithChoicesSayInTheirHelpWhatEachMeans) {
  for (const auto& [name, value, meaning] : noise_kinds()) {
    EXPECT_NE(setting("noise").help.find(name + ": " + meaning), std::string::npos) << name;
  }
  for (const auto& [name, value, meaning] : schedule_kinds()) {
    const std::string& help = setting("finetune-schedule").help;
    EXPECT_EQ(help.find(name + ": " + meaning) == std::string::npos, meaning.empty()) << name;
  }
}

TEST(Settings, OfAValueWithoutANameAreNotWritten) {
  Configuration c;
  c.noise = static_cast<NoiseKind>(99);
  EXPECT_THROW(to_text(c), std::logic_error);
}

TEST(Settings, OfTheRecipesAreUnderstood) {
  EXPECT_EQ(built_in_recipes().size(), 10u);
  for (const auto& [name, text] : built_in_recipes()) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(configuration(text));
  }
}

}  // namespace
}  // namespace sae
