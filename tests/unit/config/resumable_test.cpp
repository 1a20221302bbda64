#include <gtest/gtest.h>

#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

const std::string kBefore =
    "data=a.h5\nunits=5,4\nmomentum=0.9\npretrain-epochs=2\nfinetune-epochs=3\n"
    "precision=float32\ngradient-precision=float32\n"
    "validation=first\nscale=none\nvisible=bernoulli\nfinetune=classify\ninitial-scale=4\n"
    "validation-size=10\nfinetune-learning-rate=0.6\n";

Configuration asked(const std::string& text) {
  return configuration_of(parse_settings(text, "config.cfg"));
}

/// The run of kBefore, that is in a stage, with other settings.
void resume(Index stage, const std::string& changes, const std::string& before = kBefore) {
  SettingTexts texts = parse_settings(changes, "config.cfg");
  texts.merge(parse_settings(before, "config.cfg"));
  check_resumable(recorded_configuration(before), configuration_of(texts), stage);
}

TEST(Resumable, WithTheSameSettingsWrittenOtherwise) {
  EXPECT_NO_THROW(
      resume(0, "data=b.h5\nunits=5 4\nmomentum=.90\npretrain-epochs=2,2\nfinetune-epochs=3\n"));
}

TEST(Resumable, WithOtherSettingsIsRefusedByNameWithBothValues) {
  expect_error<UsageError>([] { resume(0, "units=5,5\nmomentum=0\n"); },
                           {"--units was 5,4 and is now 5,5", "--momentum was 0.9 and is now 0"});
}

TEST(Resumable, InGroupsOfItsOwnOnlyIfItBeganSo) {
  EXPECT_NO_THROW(resume(0, "averaging=node\n"));
  EXPECT_NO_THROW(resume(0, "averaging=flat\n", kBefore + "averaging=node\n"));
  expect_error<UsageError>([] { resume(0, "averaging=local\n"); },
                           {"--averaging was auto and is now local"});
  const std::string local = kBefore + "averaging=local\nlocal-groups=4\n";
  EXPECT_NO_THROW(resume(0, "", local));
  expect_error<UsageError>([&] { resume(0, "local-groups=2\n", local); },
                           {"--local-groups was 4 and is now 2"});
}

// But for those that say nothing of what is computed.
TEST(Resumable, WithAnyOtherSettingIsRefused) {
  const Configuration before = recorded_configuration(kBefore);
  std::size_t refused = 0;
  for (const Setting& setting : settings()) {
    if (setting.on_resume != OnResume::kFixed) continue;
    SCOPED_TRACE(setting.name);
    for (const char* value : {"7,6", "0.2", "3", "true", "image", "cosine", "bfloat16", "random",
                              "standard", "swap", "batch", "gaussian", "none"}) {
      Configuration now = before;
      try {
        setting.read(now, value);
      } catch (const UsageError&) {  // Not of this one.
        continue;
      }
      expect_error<UsageError>([&] { check_resumable(before, now, 0); },
                               {"--" + setting.name + " was "});
      ++refused;
      break;
    }
  }
  EXPECT_GE(refused, 17u);
}

TEST(Resumable, WithMoreEpochsOfStagesThatAreNotOver) {
  EXPECT_NO_THROW(resume(1, "pretrain-epochs=2,7\nfinetune-epochs=9\n"));
  EXPECT_THROW(resume(1, "pretrain-epochs=3\n"), UsageError);
  EXPECT_THROW(resume(2, "pretrain-epochs=2,7\n"), UsageError);
  EXPECT_THROW(resume(2, "finetune-epochs=2\n"), UsageError);
}

TEST(Resumable, WithoutASettingThatWasMadeIsRefused) {
  const std::string now = kBefore + "weight-decay=0.1\n";
  const auto without = [&now](const std::string& decay) {
    check_resumable(recorded_configuration(now + "pretrain-weight-decay=" + decay + "\n"),
                    asked(now), 0);
  };
  expect_error<UsageError>([&] { without("0.2,0.1"); },
                           {"--pretrain-weight-decay was 0.2,0.1 and is now 0.1"});
  EXPECT_NO_THROW(without("0.1,0.1"));
}

TEST(Resumable, WithASettingNewerThanTheCheckpointIfItMeansWhatWasDone) {
  const std::string before = "units=5,4\n";
  const std::string now =
      "precision=float32\ninitial-scale=4.0\nvalidation=first\nscale=none\nvisible=bernoulli\n"
      "finetune=classify\n";
  EXPECT_NO_THROW(resume(0, now + "gradient-precision=float32\n", before));
  expect_error<UsageError>([&] { resume(0, now + "gradient-precision=bfloat16\n", before); },
                           {"--gradient-precision was float32 and is now bfloat16"});
}

TEST(Resumable, WithASettingNewerThanTheProgramIsRefusedByName) {
  expect_error<DataError>([] { recorded_configuration(kBefore + "colour=red\n"); },
                          {"newer program", "--colour red"});
  expect_error<DataError>([] { recorded_configuration("corruption-at=edge\n"); },
                          {"--corruption-at", "edge"});
}

}  // namespace
}  // namespace sae
