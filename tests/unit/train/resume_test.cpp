#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "sae/comm/self_communicator.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/run/run_session.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_training.hpp"

namespace sae {
namespace {

struct ResumedRun : testing::Test {
  TemporaryDirectory folder;
  SelfCommunicator comm;
  Configuration configuration =
      tiny_configuration(folder.path() / "tiny.h5", folder.path() / "run");

  ResumedRun() { TinyDataset().write(configuration.data); }

  Configuration in(const std::string& name) const {
    Configuration other = configuration;
    other.run = folder.path() / name;
    return other;
  }
};

TEST_F(ResumedRun, FromAnyStepGivesTheBitsOfTheUninterruptedOne) {
  const TinyRun whole = train_tiny(in("whole"), comm);
  for (const Index first : {1, 8, 9, 10, 18, 25, 36, 37, 45, 54, 62, 63}) {
    const Configuration cut = in("cut" + std::to_string(first));
    RunControl control{.resume = Resume::kAuto, .stop_after_steps = first};
    EXPECT_TRUE(train_tiny(cut, comm, control).result.stopped);
    control.stop_after_steps = 5;
    TinyRun rest;
    do {
      rest = train_tiny(cut, comm, control);
    } while (rest.result.stopped);
    EXPECT_EQ(rest.parameters, whole.parameters) << "cut after step " << first;
    EXPECT_EQ(rest.result.models[1].epoch, whole.result.models[1].epoch);
    EXPECT_EQ(rest.result.models[1].test->errors, whole.result.models[1].test->errors);
  }
}

TEST_F(ResumedRun, UsesTheCheckpointBeforeADamagedOneAndSaysSo) {
  RunControl control{.checkpoint_every = {.steps = 4}, .stop_after_steps = 14};
  const TinyRun whole = train_tiny(in("whole"), comm);
  train_tiny(configuration, comm, control);
  std::ofstream(configuration.run / "checkpoints" / "step-0000000014.h5") << "damaged";
  control = {.resume = Resume::kAuto};
  const TinyRun rest = train_tiny(configuration, comm, control);
  EXPECT_EQ(rest.parameters, whole.parameters);
  ASSERT_EQ(rest.observer.summary.notes.size(), 3u);
  EXPECT_NE(rest.observer.summary.notes[0].find("step-0000000014.h5"), std::string::npos);
  EXPECT_NE(rest.observer.summary.notes[1].find("step-0000000012.h5"), std::string::npos);
  EXPECT_NE(rest.observer.summary.notes[2].find("set aside in"), std::string::npos);
}

TEST_F(ResumedRun, OfAProgramThatLackedSettingsGoesOnAsItDid) {
  configuration.cache_codes = CacheCodes::kOff;
  configuration.precision = configuration.gradient_precision = Precision::kFloat32;
  const TinyRun whole = train_tiny(in("whole"), comm);
  train_tiny(configuration, comm, {.stop_after_steps = 14});
  const auto file = configuration.run / "checkpoints" / "step-0000000014.h5";
  Checkpoint checkpoint = load_checkpoint(file);
  for (const char* setting : {"precision=float32\n", "gradient-precision=float32\n",
                              "cache-codes=off\n", "initial-scale=4\n"}) {
    const auto at = checkpoint.config.find(setting);
    ASSERT_NE(at, std::string::npos) << setting;
    checkpoint.config.erase(at, std::string(setting).size());
  }
  FileImage image;
  save_checkpoint(file, checkpoint, image);
  configuration.cache_codes = CacheCodes::kAuto;
  configuration.precision = configuration.gradient_precision = std::nullopt;
  const TinyRun rest = train_tiny(configuration, comm, {.resume = Resume::kAuto});
  EXPECT_EQ(rest.parameters, whole.parameters);
  for (const char* setting : {"\nprecision=float32\n", "\ngradient-precision=float32\n",
                              "\ncache-codes=off\n", "\ninitial-scale=4\n"}) {
    EXPECT_NE(rest.observer.summary.settings.find(setting), std::string::npos) << setting;
  }
}

TEST_F(ResumedRun, OfDamagedCheckpointsAloneIsRefused) {
  train_tiny(configuration, comm, {.stop_after_steps = 1});
  for (const auto& file : std::filesystem::directory_iterator(configuration.run / "checkpoints")) {
    std::ofstream(file.path()) << "damaged";
  }
  EXPECT_THROW(train_tiny(configuration, comm, {.resume = Resume::kAuto}), DataError);
}

TEST_F(ResumedRun, NeedsACheckpointWhereOneIsRequired) {
  EXPECT_THROW(train_tiny(configuration, comm, {.resume = Resume::kRequired}), MissingInputError);
}

TEST_F(ResumedRun, OnOtherDataIsRefused) {
  train_tiny(configuration, comm, {.stop_after_steps = 1});
  TinyDataset{.test_count = 30}.write(configuration.data);
  EXPECT_THROW(train_tiny(configuration, comm, {.resume = Resume::kAuto}), DataError);
}

TEST_F(ResumedRun, KeepsTheNewestCheckpoints) {
  train_tiny(configuration, comm,
             {.checkpoint_every = {.steps = 1}, .keep_checkpoints = 2, .stop_after_steps = 5});
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(configuration.run / "checkpoints")) {
    names.push_back(file.path().filename());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"step-0000000004.h5", "step-0000000005.h5"}));
}

TEST_F(ResumedRun, StopsWhenAskedToAndIsNotFinished) {
  Index asked = 0;
  RunControl control;
  control.stop_requested = [&] { return ++asked == 3; };
  const TinyRun run = train_tiny(configuration, comm, control);
  EXPECT_TRUE(run.result.stopped);
  EXPECT_EQ(run.result.step, 3);
  EXPECT_FALSE(std::filesystem::exists(configuration.run / "model.h5"));
}

TEST_F(ResumedRun, WithMoreEpochsIsUnderWayAgain) {
  train_tiny(configuration, comm);
  configuration.finetune_epochs += 2;
  train_tiny(configuration, comm, {.resume = Resume::kAuto, .stop_after_steps = 4});
  const auto found = find_newest_checkpoint(RunFolder(configuration.run));
  EXPECT_EQ(found->checkpoint.state.progress.step, 67);
  EXPECT_FALSE(found->checkpoint.state.progress.finished);
}

/// Sessions without a trainer, of a run that was cut after step 14.
struct BareSession : ResumedRun {
  Checkpoint cut;
  Vector<float> parameters;
  std::vector<Vector<float>> values;
  std::vector<OptimizerSlot> slots;
  RunState state;

  BareSession() {
    train_tiny(configuration, comm, {.checkpoint_every = {.steps = 10}, .stop_after_steps = 14});
    cut = load_checkpoint(RunFolder(configuration.run).checkpoint(14));
    parameters = Vector<float>::Zero(cut.parameters.size());
    values.resize(cut.slots.size(), parameters);
    for (std::size_t i = 0; i < values.size(); ++i) {
      slots.push_back({cut.slots[i].name, span_of(values[i])});
    }
  }
  void start(RunSession& session) {
    session.start({recorded_configuration(cut.config), cut.topology, cut.data, cut.dataset,
                   *cut.state.data_digest},
                  {span_of(parameters), slots, state}, [] {});
  }
};

TEST_F(BareSession, TakesTheCheckpointThatAnOlderOneSavedInTheMeantime) {
  const auto file = RunFolder(configuration.run).checkpoint(14);
  std::filesystem::rename(file, folder.path() / "later.h5");
  SessionSettings settings;
  settings.folder = configuration.run;
  settings.resume = Resume::kAuto;
  RunSession session(settings);
  session.find_checkpoint();
  std::filesystem::rename(folder.path() / "later.h5", file);
  start(session);
  EXPECT_EQ(state.progress.step, 14);
  EXPECT_EQ(parameters, cut.parameters);
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(BareSession, SavesOnceEachTimeThatTheIntervalHasPassed) {
  SessionSettings settings;
  settings.folder = folder.path() / "timed";
  settings.checkpoint_every.seconds = 2;
  settings.checkpoint_patience = 60;
  RunSession session(settings);
  session.find_checkpoint();
  start(session);
  for (const int wait : {2, 0, 0}) {
    std::this_thread::sleep_for(std::chrono::seconds(wait));
    ++state.progress.step;
    session.save_if_due(false, false);
  }
  session.wait();
  EXPECT_EQ(session.take_saved(), (std::vector<Index>{1}));
}

struct DivergingRun : ResumedRun {
  /// Plants a value that is no number into the gradient, the first `times` times that step
  /// `step` is reached.
  RunControl planted(Index step, int times) {
    RunControl control{.checkpoint_every = {.steps = 5}};
    control.gradient_hook = [step, left = times](Index at, Range bucket,
                                                 std::span<float> gradient) mutable {
      if (at == step && bucket.begin == 0 && left-- > 0) {
        gradient[3] = std::numeric_limits<float>::quiet_NaN();
      }
    };
    return control;
  }
};

TEST_F(DivergingRun, EndsBeforeTheWeightsAreTouchedAndSaysWhere) {
  expect_error<DivergedError>([&] { train_tiny(configuration, comm, planted(12, 1)); },
                              {"stage pretrain1", "step 13", "--on-divergence reduce"});
  const auto found = find_newest_checkpoint(RunFolder(configuration.run));
  EXPECT_EQ(found->checkpoint.state.progress.step, 10);
  EXPECT_TRUE(found->checkpoint.parameters.allFinite());
}

TEST_F(DivergingRun, GoesBackWithHalfTheLearningRateIfAskedTo) {
  RunControl control = planted(12, 1);
  control.on_divergence = OnDivergence::kReduce;
  const TinyRun run = train_tiny(configuration, comm, control);
  EXPECT_FALSE(run.result.stopped);
  ASSERT_EQ(run.observer.warnings.size(), 1u);
  EXPECT_NE(run.observer.warnings[0].find("step 10"), std::string::npos)
      << run.observer.warnings[0];
  EXPECT_EQ(run.observer.epochs.size(), 7u);
  EXPECT_NEAR(run.observer.epochs.back().learning_rate,
              *configuration.finetune_learning_rate / 2 / 27, 1e-12);
}

TEST_F(DivergingRun, GoesBackToTheFileThatItIsResumedFrom) {
  train_tiny(configuration, comm, {.stop_after_steps = 40});
  RunControl control = planted(42, 1);
  control.resume = Resume::kFile;
  control.resume_file = configuration.run / "checkpoints" / "step-0000000040.h5";
  control.checkpoint_every = {.epochs = 1000};
  control.on_divergence = OnDivergence::kReduce;
  const TinyRun run = train_tiny(in("elsewhere"), comm, control);
  ASSERT_EQ(run.observer.warnings.size(), 1u);
  EXPECT_NE(run.observer.warnings[0].find("going back to step 40"), std::string::npos)
      << run.observer.warnings[0];
}

TEST_F(DivergingRun, GivesUpAfterThreeTimes) {
  RunControl control = planted(12, 4);
  control.on_divergence = OnDivergence::kReduce;
  EXPECT_THROW(train_tiny(configuration, comm, control), DivergedError);
}

}  // namespace
}  // namespace sae
