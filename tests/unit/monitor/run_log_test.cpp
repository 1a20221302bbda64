#include "sae/monitor/run_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sae/core/error.hpp"
#include "sae/run/run_generation.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

struct TwoSessions : testing::Test {
  TemporaryDirectory temporary;
  RunFolder folder{temporary.path()};
  Configuration configuration;
  RunLog older{folder, configuration, "older"};
  RunLog newer{folder, configuration, "newer"};

  static RunSummary summary(const std::function<void()>& check) {
    RunSummary result;
    result.hosts = {"here"};
    result.history = "{\"epoch\": 1}\n";
    result.check_generation = check;
    return result;
  }

  static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static EpochReport epoch(const std::string& stage) {
    EpochReport report;
    report.stage = stage;
    return report;
  }
};

TEST_F(TwoSessions, InTurnAppendToOneLog) {
  older.run_begins(summary(RunGeneration::take(folder).checker()));
  older.epoch_done(epoch("first"));
  newer.run_begins(summary(RunGeneration::take(folder).checker()));
  newer.epoch_done(epoch("second"));
  const std::string log = text_of(folder.log());
  for (const char* part : {"older", "first", "newer", "second"}) {
    EXPECT_NE(log.find(part), std::string::npos) << part << " in " << log;
  }
}

TEST_F(TwoSessions, TheOlderWritesNothingMore) {
  older.run_begins(summary(RunGeneration::take(folder).checker()));
  older.epoch_done(epoch("first"));
  newer.run_begins(summary(RunGeneration::take(folder).checker()));
  const std::string log = text_of(folder.log());
  const std::string metrics = text_of(folder.metrics());
  EXPECT_THROW(older.epoch_done(epoch("late")), SupersededError);
  EXPECT_THROW(older.rewound(0, ""), SupersededError);
  EXPECT_THROW(older.run_done({}), SupersededError);
  older.warning("late");
  EXPECT_EQ(text_of(folder.log()), log);
  EXPECT_EQ(text_of(folder.metrics()), metrics);
}

TEST_F(TwoSessions, TheOlderHeldUpBetweenCheckAndWriteWritesNothingMore) {
  int checks = 0;
  int begin = 0;  // Of the epoch's checks: one before the log's line, one before the metrics'.
  const auto generation = RunGeneration::take(folder);
  const auto held_up = [&] {
    generation.check();
    if (begin > 0 && ++checks == begin) {
      newer.run_begins(summary(RunGeneration::take(folder).checker()));
    }
  };
  older.run_begins(summary(held_up));
  for (begin = 1; begin <= 2; ++begin) {
    checks = 0;
    try {
      older.epoch_done(epoch("late"));
    } catch (const SupersededError&) {
    }
    EXPECT_GE(checks, 1);
    EXPECT_EQ(text_of(folder.log()).find("late"), std::string::npos);
    EXPECT_EQ(text_of(folder.metrics()), "{\"epoch\": 1}\n");
    std::filesystem::remove(folder.generation());  // Ours again.
  }
}

}  // namespace
}  // namespace sae
