#include "comm/stall_report.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1000 * kSecond;

/// Three ranks of a node, all at work until 300 seconds ago, whose watchdogs look.
struct StallReport : testing::Test {
  Heartbeat ranks[3];

  StallReport() {
    for (int r = 0; r < 3; ++r) {
      ranks[r].rank = r;
      ranks[r].phase = Phase::kReduction;
      ranks[r].last_progress = kNow - 300 * kSecond;
      ranks[r].last_watched = kNow;
      ranks[r].idle = false;
    }
  }
  void silence(int rank) { ranks[rank].last_watched = kNow - 300 * kSecond; }
  void end(int rank) {
    silence(rank);
    ranks[rank].idle = true;
  }
  std::string of(int rank) const {
    const Heartbeat* const node[] = {&ranks[0], &ranks[1], &ranks[2]};
    const std::string stages[] = {"pretrain1"};
    return stall_report(ranks[rank], node, stages, kNow);
  }
};

bool tells_of(const std::string& text, const char* rank) {
  return text.find(std::string("[rank ") + rank) != std::string::npos;
}

TEST_F(StallReport, SaysWhereTheRankStands) {
  ranks[1].stage = 0;
  ranks[1].step = 12;
  const std::string text = of(1);
  EXPECT_NE(text.find("[rank 1, "), std::string::npos);
  EXPECT_NE(text.find("no progress for 300 s: stage pretrain1, step 12, phase reduction, waits for "
                      "others.\n"),
            std::string::npos)
      << text;
  EXPECT_FALSE(tells_of(text, "0") || tells_of(text, "2")) << text;
}

TEST_F(StallReport, OfTheFirstThatAnswersNamesTheSilent) {
  silence(1);
  EXPECT_NE(of(0).find("[rank 1, "), std::string::npos);
  EXPECT_NE(of(0).find("does not answer"), std::string::npos);
  EXPECT_FALSE(tells_of(of(2), "1"));
}

TEST_F(StallReport, BlamesNoRankThatIsDone) {
  end(1);
  EXPECT_FALSE(tells_of(of(0), "1")) << of(0);
}

TEST_F(StallReport, OfTheFirstThatIsNotDoneNamesTheSilent) {
  end(0);
  ranks[0].last_watched = kNow;  // It has only just ended.
  silence(1);
  EXPECT_TRUE(tells_of(of(2), "1")) << of(2);
  EXPECT_FALSE(tells_of(of(2), "0")) << of(2);
}

TEST(Sleep, IsTheTimeBetweenLooksThatAreLate) {
  EXPECT_EQ(slept_between(kNow, kNow + kSecond / 10), 0);
  EXPECT_EQ(slept_between(kNow, kNow + kSecond), 0);
  EXPECT_GT(slept_between(kNow, kNow + 100 * kSecond), 99 * kSecond);
  EXPECT_LT(slept_between(kNow, kNow + 100 * kSecond), 100 * kSecond);
}

TEST(Sleep, IsForgivenButNotAhead) {
  Heartbeat heartbeat;
  heartbeat.last_progress = steady_nanoseconds() - 400 * kSecond;
  heartbeat.discount(300 * kSecond);
  EXPECT_NEAR(static_cast<double>(steady_nanoseconds() - heartbeat.last_progress), 100e9, 10e9);
  heartbeat.discount(300 * kSecond);
  EXPECT_LE(heartbeat.last_progress, steady_nanoseconds());
}

}  // namespace
}  // namespace sae
