#include "monitor/run_record.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "monitor/run_journal.hpp"
#include "sae/train/metrics.hpp"
#include "sae/train/stage.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_training.hpp"

namespace sae {
namespace {

struct Journal : testing::Test {
  TemporaryDirectory folder;
  RunFolder run{folder.path()};
  Configuration configuration = tiny_configuration("data.h5", folder.path());
  RunSummary summary;

  Journal() {
    summary.topology = {.inputs = 30, .hidden = {12, 9}, .classes = 3};
    summary.dataset.name = "tiny";
    summary.hosts = {"a", "a", "b"};
    summary.averaging = "flat";
    summary.stages = {{"pretrain1", 2, 9, 1e9}, {"pretrain2", 2, 9, 1e9}, {"finetune", 3, 9, 2e9}};
    for (Index layer = 0; layer < 2; ++layer) {
      summary.pretraining.push_back(denoising_settings(configuration, layer));
    }
  }

  RunJournal journal() { return {run, configuration, "sae_dist 1.2.3"}; }
  std::string file() const {
    std::ifstream stream(run.journal());
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  RunRecord record() const {
    RunRecord found;
    found.read_journal(file());
    return found;
  }
};

EpochReport epoch(const char* stage, Index number, Index step) {
  EpochReport report;
  report.stage = stage;
  report.epoch = number;
  report.step = step;
  report.times = {{{1, 2, 3, 4, 5}, 20}, {{1, 2, 3, 4, 5}, 20}, {{2, 3, 4, 5, 6}, 20.5}};
  return report;
}

TEST_F(Journal, TellsWhatRanWhereAndHowFarItCame) {
  RunJournal journal = this->journal();
  journal.run_begins(summary);
  journal.epoch_done(epoch("pretrain1", 1, 9));
  journal.add(CheckpointEvent{9});
  journal.add(WarningEvent{"The disk is \"full\"."});
  const RunRecord found = record();
  ASSERT_EQ(found.sessions.size(), 1u);
  const SessionRecord& session = found.sessions[0];
  EXPECT_EQ(session.program, "sae_dist 1.2.3");
  EXPECT_EQ(session.hosts, summary.hosts);
  EXPECT_GT(session.begin, 1.5e9);
  EXPECT_GE(session.last_sign, session.begin);
  ASSERT_EQ(session.epochs.size(), 1u);
  EXPECT_EQ(session.epochs[0].stage, "pretrain1");
  ASSERT_EQ(session.epochs[0].times.size(), 3u);
  EXPECT_EQ(session.epochs[0].times[2].parts, (PartSeconds{2, 3, 4, 5, 6}));
  EXPECT_EQ(session.epochs[0].times[2].total, 20.5);
  EXPECT_EQ(session.checkpoints[0].step, 9);
  EXPECT_EQ(session.warnings[0].text, "The disk is \"full\".");
  EXPECT_FALSE(session.ended);
  EXPECT_FALSE(found.finished());
  EXPECT_EQ(found.topology, "30-12-9-3");
  EXPECT_EQ(found.stages[2].steps_per_epoch, 9);
  EXPECT_EQ(found.pretraining[1].noise.level, 0.5);
  EXPECT_EQ(found.pretraining[1].seed, 7u);
}

TEST_F(Journal, GoesOnOverSessionsAlsoAfterHalfALine) {
  RunJournal first = journal();
  first.run_begins(summary);
  first.epoch_done(epoch("pretrain1", 1, 9));
  std::ofstream(run.journal(), std::ios::app) << "{\"time\":17";  // Killed while it wrote.
  summary.step = 5;
  RunJournal second = journal();
  second.run_begins(summary);
  second.run_done({.models = {}, .seconds = 1, .stopped = true, .step = 7});
  const RunRecord found = record();
  EXPECT_EQ(found.unreadable_lines, 0);  // It is left out.
  ASSERT_EQ(found.sessions.size(), 2u);
  EXPECT_EQ(found.sessions[0].epochs.size(), 1u);
  EXPECT_EQ(found.sessions[1].first_step, 5);
  EXPECT_TRUE(found.sessions[1].stopped);
  EXPECT_EQ(file(), second.text());
}

TEST_F(Journal, KeepsTheResultWithWhatTheModelSaid) {
  RunJournal journal = this->journal();
  journal.run_begins(summary);
  const Evaluation evaluation{.samples = 4,
                              .errors = 1,
                              .loss = 0.5,
                              .confusion = {3, {{0, 0, 1}, {1, 1, 1}, {1, 2, 1}, {2, 2, 1}}}};
  const Evaluation many{.samples = 9,
                        .errors = 5,
                        .loss = 0.5,
                        .confusion = {65535, {{65534, 0, 2}, {7, 7, 4}, {1, 9, 3}}}};
  const HardSample hard{3, 1, 2, 7.25, 0.875, {0.5f}};
  journal.run_done({.models = {{"best.h5", 2, evaluation, many, {hard}}},
                    .seconds = 1,
                    .stopped = false,
                    .step = 63});
  const RunRecord found = record();
  EXPECT_TRUE(found.finished());
  ASSERT_EQ(found.models.size(), 1u);
  EXPECT_EQ(found.models[0].validation->confusion, evaluation.confusion);
  // Of many classes what is wrong.
  EXPECT_EQ(found.models[0].test->confusion, Confusion(65535, {{65534, 0, 2}, {1, 9, 3}}));
  EXPECT_EQ(found.models[0].hardest[0].predicted, 2);
  EXPECT_EQ(found.models[0].hardest[0].loss, 7.25);
}

TEST_F(Journal, WhatCouldNotBeWrittenIsWrittenLater) {
  configuration.run = folder.path() / "later";
  RunJournal journal(RunFolder(configuration.run), configuration, "");
  journal.run_begins(summary);
  journal.add(CheckpointEvent{1});
  std::filesystem::create_directory(configuration.run);
  journal.add(CheckpointEvent{2});
  std::ifstream stream(configuration.run / "journal.jsonl");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), journal.text());
}

TEST_F(Journal, ThousandsOfRanksAreToldAsMeansOfNeighbours) {
  RunJournal journal = this->journal();
  journal.run_begins(summary);
  EpochReport report = epoch("finetune", 1, 9);
  report.times.clear();
  for (int rank = 0; rank < 1000; ++rank) report.times.push_back({{}, rank < 16 ? 1.0 : 2.0});
  journal.epoch_done(report);
  const auto times = record().sessions[0].epochs[0].times;
  ASSERT_EQ(times.size(), 63u);  // Of 16 ranks each.
  EXPECT_EQ(times[0].total, 1);
  EXPECT_EQ(times[1].total, 2);
}

TEST_F(Journal, OfAPictureNothingIsLoadedFromElsewhere) {
  RunJournal journal = this->journal();
  journal.run_begins(summary);
  ReportPicture picture;
  picture.uri = "https://example.org/x.png";
  journal.add(ReconstructedEvent{"pretrain1", picture});
  EXPECT_TRUE(record().reconstructions.empty());
  picture.uri = "data:image/png;base64,AAAA";
  journal.add(ReconstructedEvent{"pretrain1", picture});
  journal.add(ReconstructedEvent{"pretrain1", picture});
  EXPECT_EQ(record().reconstructions.size(), 1u);
}

TEST(RunRecord, ReadsMetricsAndSettingsAndPassesOverWhatIsDamaged) {
  EpochReport report = epoch("finetune", 2, 45);
  report.loss = 0.25;
  report.train_error = 3;
  report.validation = Evaluation{.samples = 200, .errors = 5, .loss = 0.5, .confusion = {}};
  report.best = true;
  RunRecord found;
  found.read_configuration("seed=7\n# a comment\nunits=5,6\n");
  found.read_metrics(metrics_line(report) + "nonsense\n[1]\n{\"stage\":1}\n\n");
  found.read_journal("{\"event\":\"end\"}\n");
  EXPECT_EQ(found.configuration.size(), 2u);
  EXPECT_EQ(found.configuration[1].second, "5,6");
  ASSERT_EQ(found.epochs.size(), 1u);
  EXPECT_EQ(found.epochs[0].validation_error, 2.5);
  EXPECT_EQ(found.epochs[0].validation_loss, 0.5);
  EXPECT_TRUE(found.epochs[0].best);
  EXPECT_EQ(found.unreadable_lines, 4);
}

}  // namespace
}  // namespace sae
