#include "monitor/comparison_page.hpp"

#include <gtest/gtest.h>

namespace sae {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool contains(const std::string& text, const std::string& part) { return count_of(text, part) > 0; }

/// A run that has trained one epoch; `error` in percent.
ComparedRun trained(const std::string& name, const std::string& momentum, double error) {
  ComparedRun run{.name = name, .page = name + "/report.html"};
  run.record.configuration = {{"momentum", momentum}, {"batch-size", "50"}};
  run.record.stages = {{"finetune", 3, 10, 1e9}};
  run.record.epochs = {{.stage = "finetune",
                        .epoch = 1,
                        .step = 10,
                        .loss = 0.7,
                        .train_error = 9,
                        .validation_error = error,
                        .validation_loss = error / 10,
                        .best = true}};
  run.record.sessions = {{.begin = 1000, .last_sign = 1070}};
  return run;
}

ComparedRun finished(const std::string& name, const std::string& momentum, double error) {
  ComparedRun run = trained(name, momentum, error);
  run.record.sessions[0].ended = true;
  run.record.models = {
      {"model.h5", 1, std::nullopt, Evaluation{.samples = 200, .errors = 9, .loss = 1}, {}},
      {"best.h5", 1, std::nullopt, Evaluation{.samples = 200, .errors = 7, .loss = 1}, {}}};
  return run;
}

TEST(ComparisonPage, HasARowForEachRunTheBestFirstAndMarked) {
  const std::string page =
      comparison_page({{finished("one", "0.5", 4), finished("two", "0.9", 2.5)}, 1.7e9});
  EXPECT_LT(page.find(">two</a> <span class=\"star\">★ best</span></th>"
                      "<td class=\"n\">2.50 %</td><td class=\"n\">1</td><td class=\"n\">4.50 %</td>"
                      "<td class=\"n\">3.50 %</td><td class=\"n\">1:10</td><td class=\"\">"
                      "finished</td><td class=\"n\">0.9</td>"),
            page.find(">one</a></th><td class=\"n\">4.00 %</td>"))
      << page;
  EXPECT_EQ(count_of(page, "★ best"), 1u);
  EXPECT_EQ(count_of(page, ">momentum</label></th>"), 1u);
  EXPECT_EQ(count_of(page, "<th scope=\"row\">batch-size</th><td class=\"n\">50</td>"), 1u);
  EXPECT_FALSE(contains(page, "<th scope=\"row\">momentum</th>"));
  EXPECT_TRUE(contains(page, "href=\"two/report.html\""));
}

TEST(ComparisonPage, OfDifferentDataMarksNoRun) {
  ComparedRun other = finished("two", "0.9", 2.5);
  other.record.dataset.name = "flights";
  const std::string page = comparison_page({{finished("one", "0.5", 4), other}, 1.7e9});
  EXPECT_EQ(count_of(page, "★ best"), 0u);
  EXPECT_TRUE(contains(page, "different data sets"));
}

TEST(ComparisonPage, IsOrderedByEachColumnInCss) {
  const std::string page =
      comparison_page({{finished("a", "0.5", 4), finished("b", "0.9", 2.5)}, 1.7e9});
  // Columns: run, validation error, epoch, two test errors, time, end, momentum.
  EXPECT_TRUE(contains(page, "\"--o0:1;--o1:0;--o2:0;--o3:0;--o4:0;--o5:0;--o6:0;--o7:1;\""))
      << page;
  EXPECT_TRUE(contains(page, "\"--o0:0;--o1:1;--o2:1;--o3:1;--o4:1;--o5:1;--o6:1;--o7:0;\""));
  EXPECT_EQ(count_of(page, " checked>"), 1u);
  EXPECT_TRUE(contains(page, "id=\"by1\" class=\"by usual\" checked"));
  EXPECT_TRUE(contains(page, "#by7:checked~.wide tbody tr>*{order:var(--o7)}"));
}

TEST(ComparisonPage, DrawsCurvesOfAllRunsInTheColourOfTheirRows) {
  const std::string page =
      comparison_page({{finished("a", "0.5", 4), finished("b", "0.9", 2.5)}, 1.7e9});
  for (const char* part :
       {"<h3>Validation error</h3>", "<h3>Training loss</h3>",
        "Validation error, 2 runs: the lowest is 2.5 %, of b.", "<path class=\"line s1\"",
        "<path class=\"line s2\"", "<span class=\"key s1\"></span>b</li>",
        "<span class=\"key s1\"></span><a href=\"b/report.html\">b</a>",
        "<span class=\"key s2\"></span><a href=\"a/report.html\">a</a>"}) {
    EXPECT_TRUE(contains(page, part)) << part;
  }
}

TEST(ComparisonPage, TellsHowEachRunEnded) {
  ComparedRun running = trained("running", "0.1", 5);
  ComparedRun stopped = trained("stopped", "0.2", 5);
  stopped.record.sessions[0].ended = stopped.record.sessions[0].stopped = true;
  stopped.record.sessions[0].stopped_by = "SIGTERM";
  ComparedRun failed = trained("failed", "0.3", 5);
  failed.record.sessions[0].failure = "The loss is <not> finite.";
  failed.record.sessions[0].exit_code = 76;
  ComparedRun begun{.name = "begun"};
  begun.record.unreadable_lines = 1;
  const std::string page = comparison_page({{running, stopped, failed, begun}, 1.7e9});
  for (const char* part :
       {">running or cut, finetune 1 of 3<", ">stopped by SIGTERM, finetune 1 of 3<",
        ">failed (76), finetune 1 of 3<", ">running or cut, no epoch yet<",
        "failed failed with exit code 76: The loss is &lt;not&gt; finite.",
        "1 line of metrics.jsonl and journal.jsonl of begun could not be read.",
        "4 runs: 1 stopped, 1 failed, 2 running or cut."}) {
    EXPECT_TRUE(contains(page, part)) << part << page;
  }
}

TEST(ComparisonPage, KeepsErrorsAndLossesApart) {
  ComparedRun rebuilt = trained("rebuilt", "0.5", 1);
  rebuilt.record.epochs[0].train_error = rebuilt.record.epochs[0].validation_error = std::nullopt;
  const std::string page = comparison_page({{rebuilt, finished("classified", "0.5", 4)}, 1.7e9});
  for (const char* part : {">Best validation figure</label>", ">error 4.00 %<", ">loss 0.1<",
                           "<h3>Validation error of classifiers</h3>",
                           "<h3>Validation loss of autoencoders</h3>", "All settings are equal."}) {
    EXPECT_TRUE(contains(page, part)) << part << page;
  }
  EXPECT_EQ(count_of(page, "★ best"), 2u);
}

TEST(ComparisonPage, NamesFromOutsideStayText) {
  const std::string name = "<script>alert(1)</script>\"'>";
  ComparedRun run = finished(name, name, 4);
  run.page.clear();
  run.record.configuration.emplace_back(name, name);
  run.record.epochs[0].loss = 1;
  run.record.sessions[0].ended = false;
  run.record.sessions[0].failure = run.record.stages[0].name = name;
  const std::string page = comparison_page({{run, finished("b", "0.9", 5)}, 1.7e9});
  EXPECT_FALSE(contains(page, "<script"));
  EXPECT_TRUE(contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;"));
}

TEST(ComparisonPage, OfManyRunsDrawsTheBestAndListsAll) {
  std::vector<ComparedRun> runs;
  for (int i = 0; i < 100; ++i)
    runs.push_back(finished("r" + std::to_string(i), "0.5", 50 - i / 4));
  for (ComparedRun& run : runs) {
    run.record.epochs.resize(2000, run.record.epochs[0]);
    for (std::size_t i = 0; i < run.record.epochs.size(); ++i) {
      run.record.epochs[i].epoch = static_cast<Index>(i) + 1;
    }
  }
  const std::string page = comparison_page({runs, 1.7e9});
  EXPECT_EQ(count_of(page, "<tr"), 101u + 3u);  // With heads and two settings that are equal.
  EXPECT_EQ(count_of(page, "<path"), 2 * 24u);
  EXPECT_TRUE(contains(page, "Of 100 runs the first 24 of the table are drawn."));
  EXPECT_LT(page.size(), 1'500'000u);
}

}  // namespace
}  // namespace sae
