#include "monitor/comparison.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "sae/core/error.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;
using Strings = std::vector<std::string>;
using Places = std::vector<std::size_t>;

ComparedRun run_with(Settings settings) {
  ComparedRun run;
  run.record.configuration = std::move(settings);
  return run;
}

EpochRecord finetuned(Index number, std::optional<double> error, double loss, bool best) {
  return {.stage = "finetune",
          .epoch = number,
          .validation_error = error,
          .validation_loss = loss,
          .best = best};
}

TEST(ComparedSettings, AreThoseThatDifferAndThoseThatDoNotInTheOrderOfTheHelp) {
  const auto found = compare_settings(
      {run_with({{"momentum", "0.5"}, {"units", "20,10"}, {"batch-size", "50"}, {"seed", "1"}}),
       run_with({{"momentum", "0.9"}, {"units", "30,10"}, {"batch-size", "50"}, {"seed", "1"}})});
  ASSERT_EQ(found.different.size(), 2u);
  EXPECT_EQ(found.different[0].name, "units");
  EXPECT_EQ(found.different[0].values, (Strings{"20,10", "30,10"}));
  EXPECT_EQ(found.different[1].name, "momentum");
  EXPECT_EQ(found.same, (Settings{{"seed", "1"}, {"batch-size", "50"}}));
}

TEST(ComparedSettings, ThatARunLacksHaveTheValueThatItTrainedWith) {
  const auto found = compare_settings(
      {run_with({{"optimizer", "adam"}, {"dropout", "0"}, {"weight-decay", "1e-05"}}),
       run_with({{"weight-decay", "1e-05"}, {"pretrain-weight-decay", "1e-05"}})});
  ASSERT_EQ(found.different.size(), 1u);
  EXPECT_EQ(found.different[0].name, "optimizer");
  EXPECT_EQ(found.different[0].values, (Strings{"adam", "sgd"}));  // There was no other before.
  EXPECT_EQ(
      found.same,
      (Settings{{"pretrain-weight-decay", "1e-05"}, {"dropout", "0"}, {"weight-decay", "1e-05"}}));
}

TEST(ComparedSettings, OfANewerProgramAreComparedTooAndCanBeUnset) {
  const auto found = compare_settings({run_with({{"flux", "3"}}), run_with({})});
  ASSERT_EQ(found.different.size(), 1u);
  EXPECT_EQ(found.different[0].values, (Strings{"3", ""}));
}

TEST(ComparedRuns, AreNamedWithoutTheFoldersThatAllShare) {
  EXPECT_EQ(names_of({"runs/sweep-1", "./runs/sweep-2/"}), (Strings{"sweep-1", "sweep-2"}));
  EXPECT_EQ(names_of({"a/run", "b/run"}), (Strings{"a/run", "b/run"}));
  EXPECT_EQ(names_of({"/x/a", "/x/a/b"}), (Strings{"a", "a/b"}));
  EXPECT_EQ(names_of({"/x/a", "/x/a"}), (Strings{"a", "a"}));
}

TEST(BestFigure, IsOfTheLastEpochThatWasBest) {
  RunRecord record;
  EXPECT_FALSE(best_figure(record));
  record.epochs = {finetuned(1, 5.0, 0.5, true), finetuned(2, 3.0, 0.4, true),
                   finetuned(3, 4.0, 0.3, false)};
  auto best = best_figure(record);
  ASSERT_TRUE(best);
  EXPECT_EQ(best->epoch, 2);
  EXPECT_TRUE(best->figure.is_error);
  EXPECT_EQ(best->figure.value, 3.0);
  record.epochs = {finetuned(1, std::nullopt, 7.5, true)};
  best = best_figure(record);
  ASSERT_TRUE(best);
  EXPECT_FALSE(best->figure.is_error);
  EXPECT_EQ(best->figure.value, 7.5);
}

TEST(ComparedRuns, ComeBestFirstErrorsBeforeLossesBeforeRunsWithoutAFigure) {
  std::vector<ComparedRun> runs(6);
  const char* names[] = {"none", "loss", "worse", "equal", "best", "lower loss"};
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].name = names[i];
  runs[1].record.epochs = {finetuned(1, std::nullopt, 0.1, true)};
  runs[2].record.epochs = {finetuned(1, 3.0, 0.1, true)};
  runs[3].record.epochs = {finetuned(1, 2.0, 0.4, true)};
  runs[4].record.epochs = {finetuned(1, 2.0, 0.3, true)};
  runs[5].record.epochs = {finetuned(1, std::nullopt, 0.05, true)};
  sort_runs(runs);
  Strings found;
  for (const auto& run : runs) found.push_back(run.name);
  EXPECT_EQ(found, (Strings{"best", "equal", "worse", "lower loss", "loss", "none"}));
}

Places places_of_texts(const Strings& texts) {
  std::vector<SortKey> keys;
  for (const auto& text : texts) keys.push_back(key_of(text));
  return places_of(keys);
}

TEST(SortKey, OrdersNumbersByTheirValueAndListsByTheirNumbers) {
  EXPECT_EQ(places_of_texts({"10", "9", "1e-05", "-3"}), (Places{3, 2, 1, 0}));
  EXPECT_EQ(places_of_texts({"100,20", "100,5", "20"}), (Places{2, 1, 0}));
}

TEST(SortKey, OrdersNumbersBeforeTextBeforeNothing) {
  EXPECT_EQ(places_of_texts({"", "auto", "7", "nan", ""}), (Places{3, 1, 0, 2, 4}));
  EXPECT_EQ(places_of_texts({"run-10", "run-9", "run"}), (Places{2, 1, 0}));
  EXPECT_EQ(places_of_texts({"b", "a", "b", "a"}), (Places{2, 0, 3, 1}));
}

TEST(SortKey, AFigureThatIsNotFiniteIsNone) {
  const Figure bad{false, std::numeric_limits<double>::quiet_NaN(), 0};
  const Figure good{false, 1e300, 1e300};
  EXPECT_EQ(places_of({key_of(std::optional(bad)), key_of(std::optional(good))}), (Places{1, 0}));
}

TEST(ReadRunRecord, OfAFolderWithoutARunThrowsItsName) {
  const TemporaryDirectory folder;
  try {
    read_run_record(RunFolder(folder.path() / "nowhere"));
    FAIL();
  } catch (const MissingInputError& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere is not the folder of a run"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace sae
