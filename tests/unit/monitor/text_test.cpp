#include "sae/monitor/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sae/core/print.hpp"
#include "sae/core/text.hpp"
#include "sae/train/metrics.hpp"
#include "sae/train/start_table.hpp"

namespace sae {
namespace {

TEST(Text, NumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1000), "-1,000");
  EXPECT_EQ(grouped(-100), "-100");
}

TEST(Text, DurationsReadAsOnAClock) {
  EXPECT_EQ(duration(7.4), "0:07");
  EXPECT_EQ(duration(754), "12:34");
  EXPECT_EQ(duration(3723), "1:02:03");
}

EpochReport finetune_epoch() {
  EpochReport report;
  report.stage = "finetune";
  report.epoch = 2;
  report.epochs = 15;
  report.step = 900;
  report.loss = 0.1234567;
  report.train_error = 3.25;
  report.validation = Evaluation{.samples = 200, .errors = 5, .loss = 0.5, .confusion = {}};
  report.samples = 1000;
  report.seconds = 2;
  report.samples_per_second = 500;
  report.best = true;
  return report;
}

TEST(Text, TheStartTableShowsTheRanksByHostAndBinding) {
  RunSummary summary;
  summary.hosts = {"node1", "node1", "node2"};
  summary.placement = {"node1: ranks 0-1, cores 0-3", "node2: rank 2, cores 0-1"};
  const std::string table = start_table(summary, {}, "");
  EXPECT_NE(table.find("  ranks          3 x 1 thread on 2 hosts\n"
                       "                 node1: ranks 0-1, cores 0-3\n"
                       "                 node2: rank 2, cores 0-1\n"),
            std::string::npos)
      << table;
}

TEST(Text, AnEpochIsOneLineWithItsErrors) {
  const std::string line = epoch_line(finetune_epoch());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  for (const char* part : {"finetune", "2/15", "0.1235", "train 3.25 %", "validation 2.50 % *"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST(Text, TheLineOfAnEpochFitsIntoTheTerminal) {
  EpochReport report = finetune_epoch();
  report.epochs = 1000;
  report.samples_per_second = 123456;
  report.best = true;
  for (const std::size_t columns : {80u, 100u, 110u}) {
    const std::string line = epoch_line(report, columns);
    EXPECT_LE(line.size(), columns);
    EXPECT_GT(line.size(), columns - 25);
    EXPECT_NE(line.find("validation 2.50 % *"), std::string::npos) << line;
  }
  EXPECT_TRUE(epoch_line(report).starts_with(epoch_line(report, 20)));
}

TEST(Text, WordsOfACommandToCopyAreQuotedWhereAShellNeedsIt) {
  EXPECT_EQ(shell_word("runs/2026-11-26-101112"), "runs/2026-11-26-101112");
  EXPECT_EQ(shell_word("my runs"), "'my runs'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word(""), "''");
  RunResult stopped;
  stopped.stopped = true;
  EXPECT_NE(result_table(stopped, "my runs/a").find("--run 'my runs/a' --resume auto"),
            std::string::npos);
}

TEST(Text, TheConfusionMatrixShowsZeroAsADot) {
  const std::string table = confusion_table({2, {{0, 0, 3}, {1, 0, 3}, {1, 1, 4}}});
  EXPECT_NE(table.find("    0 3 .\n"), std::string::npos) << table;
  EXPECT_NE(table.find("    1 3 4\n"), std::string::npos) << table;
}

TEST(Text, TheConfusionMatrixNamesTheClasses) {
  const std::string table =
      confusion_table({2, {{0, 0, 3}, {1, 0, 3}, {1, 1, 4}}}, "", {"apple", "fig"});
  EXPECT_NE(table.find("\n  0 apple 3 .\n"), std::string::npos) << table;
  EXPECT_NE(table.find("\n  1 fig   3 4\n"), std::string::npos) << table;
}

TEST(Text, OfManyClassesTheMostFrequentConfusionsAreShown) {
  std::vector<Confusion::Cell> cells = {{20000, 20000, 500}};
  for (std::int32_t i = 0; i < 1000; ++i) cells.push_back({i, i + 1, i});
  const std::string table = confusion_table({65535, cells}, " of m");
  EXPECT_TRUE(table.starts_with("most frequent confusions of m\n")) << table;
  EXPECT_EQ(std::ranges::count(table, '\n'), 22);
  EXPECT_NE(table.find("\n    999      1000       999\n"), std::string::npos) << table;
  EXPECT_EQ(table.find("500"), std::string::npos);
}

TEST(MetricsLine, IsJsonWithEveryDigitOfTheLoss) {
  const auto line = nlohmann::json::parse(metrics_line(finetune_epoch()));
  EXPECT_EQ(line["stage"], "finetune");
  EXPECT_EQ(line["step"], 900);
  EXPECT_EQ(line["loss"], 0.1234567);
  EXPECT_EQ(line["validation_error"], 2.5);
  EXPECT_EQ(line["best"], true);
}

TEST(MetricsLine, OfPretrainingHasNoErrors) {
  EpochReport report;
  report.stage = "pretrain1";
  const auto line = nlohmann::json::parse(metrics_line(report));
  EXPECT_FALSE(line.contains("train_error"));
  EXPECT_FALSE(line.contains("validation_error"));
}

}  // namespace
}  // namespace sae
