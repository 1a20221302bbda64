#include "monitor/report_page.hpp"

#include <gtest/gtest.h>

#include <random>

#include "monitor/report_pictures.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A finished run of two sessions.
Report finished_report() {
  Report report;
  report.run = "runs/today/";
  report.written = 1.7e9;
  RunRecord& record = report.record;
  record.topology = "30-12-3";
  record.dataset.name = "tiny";
  record.stages = {{"pretrain1", 2, 10, 1e9}, {"finetune", 1, 10, 1e9}};
  record.configuration = {{"seed", "7"}};
  record.epochs = {{.stage = "pretrain1", .epoch = 1, .step = 10, .loss = 20},
                   {.stage = "pretrain1", .epoch = 2, .step = 20, .loss = 12.5},
                   {.stage = "finetune",
                    .epoch = 1,
                    .step = 30,
                    .loss = 1,
                    .train_error = 10,
                    .validation_error = 5,
                    .validation_loss = 0.5,
                    .best = true}};
  const auto mark = [](double time, const char* stage, Index epoch, Index step) {
    return EpochMark{time, stage, epoch, step, {{{1, 2, 3, 4, 5}, 15}, {{1, 2, 3, 4, 5}, 20}}};
  };
  record.sessions = {{.begin = 1000,
                      .last_sign = 1100,
                      .hosts = {"a", "b"},
                      .epochs = {mark(1050, "pretrain1", 1, 10)},
                      .checkpoints = {{1060, 12}}},
                     {.begin = 5000,
                      .last_sign = 5100,
                      .first_step = 12,
                      .hosts = {"a", "b"},
                      .epochs = {mark(5030, "pretrain1", 2, 20), mark(5090, "finetune", 1, 30)},
                      .ended = true}};
  record.models = {
      {"model.h5",
       1,
       std::nullopt,
       Evaluation{.samples = 12,
                  .errors = 3,
                  .loss = 1,
                  .confusion = {3, {{0, 0, 4}, {0, 1, 1}, {1, 1, 3}, {1, 2, 2}, {2, 2, 2}}}},
       {{5, 1, 2, 4.5, 0.75, {}}}}};
  return report;
}

TEST(ReportPage, OfAFinishedRunTellsResultCurvesTimesAndSessions) {
  const std::string page = report_page(finished_report());
  for (const char* part :
       {"<h1>Run today</h1>", "finished", "25.00 %", "3 of 12", "pretrain1: reconstruction loss",
        "from 20 to 12.5", "finetune: error", "<section id=\"confusion\"", "<b>1 → 2</b>",
        "75 % sure", "rank 1", "resumed from update 12", "Pauses between sessions are left out",
        "cut, and repeated", "a (rank 0), b (rank 1)"}) {
    EXPECT_TRUE(holds(page, part)) << part;
  }
}

TEST(ReportPage, AlsoTellsInTablesWhatItDraws) {
  const std::string page = report_page(finished_report());
  EXPECT_TRUE(holds(page, "<th scope=\"row\">pretrain1</th><td class=\"n\">2</td>"));
  EXPECT_TRUE(holds(page, "<th scope=\"row\">rank 1</th>"));
  EXPECT_TRUE(holds(page, "<td class=\"n\">12</td><td>checkpoint</td>"));
  for (std::size_t at = page.find("<svg"); at != std::string::npos;
       at = page.find("<svg", at + 1)) {
    const std::string tag = page.substr(at, page.find('>', at) - at);
    EXPECT_TRUE(holds(tag, "role=\"img\" aria-label=\"")) << tag;
    EXPECT_FALSE(holds(tag, "aria-label=\"\"")) << tag;
  }
}

TEST(ReportPage, IsLoadedAgainOnlyWhileTheRunGoesOn) {
  Report report = finished_report();
  EXPECT_FALSE(holds(report_page(report), "http-equiv=\"refresh\""));
  report.live = true;
  report.record.models.clear();
  report.record.sessions.back().ended = false;
  const std::string page = report_page(report);
  EXPECT_TRUE(holds(page, "http-equiv=\"refresh\""));
  EXPECT_TRUE(holds(page, "running"));
  EXPECT_TRUE(holds(page, "role=\"progressbar\""));
  report.live = false;
  EXPECT_TRUE(holds(report_page(report), "not finished"));
}

TEST(ReportPage, NeedsNothingFromElsewhereAndRunsNothing) {
  const std::string page = report_page(finished_report());
  for (const char* part : {"<script", "http://", "https://", "src=\"/", "url("}) {
    EXPECT_FALSE(holds(page, part)) << part;
  }
  EXPECT_TRUE(holds(page, "default-src 'none'"));
}

TEST(ReportPage, NamesFromOutsideStayText) {
  const std::string name = "<script>alert(1)</script>\"'>";
  Report report = finished_report();
  report.run = name;
  RunRecord& record = report.record;
  record.topology = record.data = record.dataset.name = record.dataset.source = name;
  record.dataset.license = record.stages[0].name = record.epochs[0].stage = name;
  record.configuration = {{name, name}};
  SessionRecord& session = record.sessions.back();
  session.program = session.averaging = session.epochs[0].stage = name;
  session.hosts = {name, name};
  session.notes = {name};
  session.warnings = {{5001, name}};
  record.models[0].file = name;
  report.pictures.missing = name;
  ReportPicture picture;
  picture.uri = picture.title = picture.description = picture.caption = name;
  report.pictures.reconstructions = report.pictures.hardest = {picture};
  const std::string page = report_page(report);
  EXPECT_FALSE(holds(page, "<script"));
  EXPECT_FALSE(holds(page, "\"'>\""));
  EXPECT_TRUE(holds(page, "&lt;script&gt;"));
}

TEST(ReportPage, OfARunThatHasJustBegunIsWhole) {
  Report report;
  report.run = ".";
  report.live = true;
  EXPECT_TRUE(holds(report_page(report), "</html>"));
  report.record.sessions = {{.begin = 1000, .last_sign = 1000, .hosts = {"a"}}};
  report.record.stages = {{"finetune", 1, 10, 1e9}};
  const std::string page = report_page(report);
  EXPECT_TRUE(holds(page, "</html>"));
  EXPECT_TRUE(holds(page, "What ran where"));
  EXPECT_FALSE(holds(page, "nan"));
}

TEST(ReportPage, OfManyClassesListsTheMostFrequentConfusions) {
  Report report = finished_report();
  Evaluation& evaluation = *report.record.models[0].test;
  evaluation.confusion = {40, {{2, 31, 7}, {5, 5, 9}}};
  const std::string page = report_page(report);
  EXPECT_TRUE(holds(
      page, "<th scope=\"row\" class=\"n\">2</th><td class=\"n\">31</td><td class=\"n\">7</td>"));
}

/// Pictures of noise, which cannot be packed, of a model of ten layers.
ReportPictures noise_pictures() {
  constexpr Index kPixels = 96 * 96;
  Topology topology{.inputs = kPixels, .hidden = {}, .classes = 10};
  topology.hidden.assign(10, 120);
  const ParameterLayout layout(topology);
  Vector<float> parameters;
  initialize_parameters(layout, 1, parameters);
  RunRecord record;
  for (Index layer = 0; layer < 10; ++layer) {
    record.stages.push_back({"pretrain" + std::to_string(layer + 1), 1, 1, 1});
    record.pretraining.push_back({.layer = layer, .noise = {.level = 0.3}});
  }
  record.stages.push_back({"finetune", 1, 1, 1});
  RunSummary summary{.topology = topology,
                     .stages = record.stages,
                     .pretraining = record.pretraining,
                     .live_parameters = span_of(std::as_const(parameters))};
  summary.dataset.features = kPixels;
  summary.dataset.height = summary.dataset.width = 96;
  Minibatch<float>& samples = summary.preview;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform;
  samples.inputs = Matrix<float>::NullaryExpr(kPixels, 10, [&] { return uniform(random); });
  for (std::uint32_t i = 0; i < 10; ++i) samples.samples.push_back(i);
  ModelPictures model;
  model.run_begins(summary);
  model.epoch_done({.stage = "finetune", .epoch = 1});
  auto pictures = report_pictures(model, record);
  ModelResult result;
  for (Index i = 0; i < 50; ++i) {
    const auto pixels = samples.inputs.col(i % 10);
    result.hardest.push_back({i, 0, 1, 2, 0.5, {pixels.data(), pixels.data() + kPixels}});
  }
  pictures.hardest = hardest_pictures(result, model.shape());
  return pictures;
}

TEST(ReportPage, StaysBelowOneAndAHalfMegabytesWhateverTheRun) {
  Report report = finished_report();
  report.pictures = noise_pictures();
  EXPECT_EQ(report.pictures.filters.size(), 10u);
  EXPECT_EQ(report.pictures.reconstructions.size(), 10u);
  RunRecord& record = report.record;
  record.models[0].hardest.assign(50, record.models[0].hardest[0]);
  std::vector<Confusion::Cell> cells;
  for (std::int32_t i = 0; i < 900; ++i) cells.push_back({i / 30, i % 30, 1234});
  record.models[0].test->confusion = {30, cells};
  record.epochs.clear();
  for (int stage = 1; stage <= 11; ++stage) {
    const std::string name = stage == 11 ? "finetune" : "pretrain" + std::to_string(stage);
    for (Index i = 1; i <= 1000; ++i) {
      record.epochs.push_back(
          {.stage = name, .epoch = i, .step = i, .loss = 1.0 / static_cast<double>(i)});
      if (stage == 11)
        record.epochs.back().train_error = record.epochs.back().validation_error = 0.123;
    }
  }
  SessionRecord& session = record.sessions.back();
  session.epochs.clear();
  for (const EpochRecord& epoch : record.epochs) {
    session.epochs.push_back(
        {5000, epoch.stage, epoch.epoch, epoch.step, std::vector<RankTime>(64)});
  }
  for (Index i = 0; i < 20000; ++i)
    session.checkpoints.push_back({5000.0 + static_cast<double>(i), i});
  record.sessions.insert(record.sessions.end(), 300, record.sessions.front());
  EXPECT_LT(report_page(report).size(), 1'500'000u);
}

}  // namespace
}  // namespace sae
