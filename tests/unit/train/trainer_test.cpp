#include "sae/train/trainer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <limits>
#include <set>
#include <thread>

#include "sae/comm/self_communicator.hpp"
#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_training.hpp"

namespace sae {
namespace {

struct TrainerOnTinySet : testing::Test {
  TemporaryDirectory folder;
  TinyDataset dataset;
  SelfCommunicator comm;
  Configuration configuration =
      tiny_configuration(folder.path() / "tiny.h5", folder.path() / "run");

  TrainerOnTinySet() { dataset.write(configuration.data); }
};

TEST_F(TrainerOnTinySet, CountsEachTrainingSampleOnceAnEpochAndEachTestSampleOnce) {
  const TinyRun run = train_tiny(configuration, comm);
  ASSERT_EQ(run.observer.epochs.size(), 7u);
  for (const EpochReport& epoch : run.observer.epochs) EXPECT_EQ(epoch.samples, 97 - 11);
  EXPECT_EQ(run.observer.steps.size(), 7u * 9);
  for (const ModelResult& model : run.result.models) {
    EXPECT_EQ(model.validation->samples, 11);
    EXPECT_EQ(model.test->samples, 31);
  }
}

TEST_F(TrainerOnTinySet, LearnsWhatCanBeLearned) {
  configuration.finetune_epochs = 30;
  const TinyRun run = train_tiny(configuration, comm);
  const auto& epochs = run.observer.epochs;
  EXPECT_LT(epochs[1].loss, epochs[0].loss);
  EXPECT_LT(epochs[3].loss, epochs[2].loss);
  EXPECT_EQ(run.result.models[0].test->errors, 0);
}

TEST_F(TrainerOnTinySet, TheSameSeedGivesTheSameBitsAndAnotherDoesNot) {
  const TinyRun first = train_tiny(configuration, comm);
  configuration.run = folder.path() / "second";
  const TinyRun second = train_tiny(configuration, comm);
  EXPECT_EQ(first.parameters, second.parameters);
  configuration.run = folder.path() / "third";
  configuration.seed += 1;
  EXPECT_NE(first.parameters, train_tiny(configuration, comm).parameters);
}

TEST_F(TrainerOnTinySet, PretrainingOfALayerLeavesTheOthersAlone) {
  configuration.layers[0].epochs = 0;
  configuration.finetune_epochs = 0;
  const TinyRun run = train_tiny(configuration, comm);
  const ParameterLayout layout(run.observer.summary.topology);
  Vector<float> initial;
  initialize_parameters(layout, configuration.seed, initial);
  const auto range_of = [&](const Vector<float>& p, Range r) {
    return p.segment(r.begin, r.size());
  };
  EXPECT_EQ(range_of(run.parameters, layout.pretraining_range(0)),
            range_of(initial, layout.pretraining_range(0)));
  EXPECT_NE(range_of(run.parameters, layout.pretraining_range(1)),
            range_of(initial, layout.pretraining_range(1)));
  EXPECT_EQ(view_of(run.parameters, layout.output().weights),
            view_of(initial, layout.output().weights));
}

TEST_F(TrainerOnTinySet, BeginsWithWeightsOfTheScaleOfItsConfiguration) {
  configuration.initial_scale = 0.25;
  configuration.layers[0].epochs = configuration.layers[1].epochs = 0;
  configuration.finetune_epochs = 0;
  const TinyRun run = train_tiny(configuration, comm);
  Vector<float> initial;
  initialize_parameters(ParameterLayout(run.observer.summary.topology), configuration.seed, initial,
                        0.25);
  EXPECT_EQ(run.parameters, initial);
}

TEST_F(TrainerOnTinySet, ALayerCanHaveAWeightDecayOfItsOwn) {
  const auto weights_after = [&](std::optional<double> decay) {
    configuration.run = folder.path() / fmt::format("decay{}", decay.value_or(1));
    configuration.layers[0].weight_decay = decay;
    configuration.finetune_epochs = 0;
    const TinyRun run = train_tiny(configuration, comm);
    const ParameterLayout layout(run.observer.summary.topology);
    return Matrix<float>(view_of(run.parameters, layout.hidden(0).weights));
  };
  const Matrix<float> usual = weights_after(std::nullopt);
  EXPECT_EQ(weights_after(configuration.weight_decay), usual);
  EXPECT_LT(weights_after(0.5).norm(), 0.9f * usual.norm());
}

TEST_F(TrainerOnTinySet, BestIsTheLastEpochOfTheLowestValidationError) {
  const TinyRun run = train_tiny(configuration, comm);
  const EpochReport* best = nullptr;
  for (const EpochReport& epoch : run.observer.epochs) {
    if (!epoch.validation) continue;
    const bool better = best == nullptr || epoch.validation->errors <= best->validation->errors;
    EXPECT_EQ(epoch.best, better);
    if (better) best = &epoch;
  }
  EXPECT_EQ(run.result.models[1].epoch, best->epoch);
  EXPECT_EQ(run.result.models[1].validation->errors, best->validation->errors);
  const Checkpoint file = load_checkpoint(configuration.run / "best.h5");
  EXPECT_EQ(file.state.progress.epoch, best->epoch);
}

/// Takes away what bars the way of best.h5 as soon as a warning tells of it.
struct ClearingObserver final : TrainingObserver {
  explicit ClearingObserver(std::filesystem::path path) : best(std::move(path)) {}
  void run_begins(const RunSummary&) override {}
  void step_done(const StepReport&) override {}
  void epoch_done(const EpochReport& report) override { epochs += report.validation.has_value(); }
  void warning(const std::string&) override { warned = std::filesystem::remove(best); }
  void rewound(Index, const std::string&) override {}
  void run_done(const RunResult&) override {}

  std::filesystem::path best;
  bool warned = false;
  Index epochs = 0;  ///< Of fine-tuning.
};

TEST_F(TrainerOnTinySet, ABestModelThatCouldNotBeWrittenIsWrittenWithTheNextCheckpoint) {
  ClearingObserver observer(configuration.run / "best.h5");
  std::filesystem::create_directories(observer.best);
  std::optional<Index> written_after;
  RunControl control{.resume = Resume::kAuto, .checkpoint_every = {.steps = 1}};
  control.stop_requested = [&, steps = 0]() mutable {
    // The third step after the warning begins once the second has ended with a save.
    if (!observer.warned || ++steps < 3 || written_after) return false;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!std::filesystem::is_regular_file(observer.best) &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    written_after = observer.epochs;
    return false;
  };
  DistributedDataset set(configuration.data, configuration.data_access, comm);
  Trainer(configuration, control, set, comm, observer).run();
  EXPECT_EQ(written_after, 1);
  EXPECT_TRUE(std::filesystem::is_regular_file(observer.best));
}

TEST_F(TrainerOnTinySet, ModelFileHoldsTheFinalParameters) {
  const TinyRun run = train_tiny(configuration, comm);
  const Checkpoint file = load_checkpoint(configuration.run / "model.h5");
  EXPECT_EQ(file.parameters, run.parameters);
  EXPECT_TRUE(file.state.progress.finished);
  EXPECT_EQ(file.state.progress.step, 63);
  EXPECT_EQ(file.seed, 7u);
}

TEST_F(TrainerOnTinySet, AModelThatWasPretrainedAloneIsNoAverage) {
  configuration.weight_average = 0.9;
  configuration.finetune_epochs = 0;
  const TinyRun run = train_tiny(configuration, comm);
  EXPECT_EQ(load_checkpoint(configuration.run / "model.h5").parameters, run.parameters);
}

TEST_F(TrainerOnTinySet, ObserversSeeEachStepTheParametersAndTheFirstValidationSamples) {
  configuration.validation = ValidationChoice::kFirst;
  const TinyRun run = train_tiny(configuration, comm);
  Index step = 0;
  for (const StepReport& report : run.observer.steps) EXPECT_EQ(report.run_step, ++step);
  EXPECT_DOUBLE_EQ(run.observer.steps[0].learning_rate, 0.1);
  EXPECT_EQ(run.observer.parameters, run.parameters);
  const Minibatch<float>& preview = run.observer.summary.preview;
  ASSERT_EQ(preview.size(), 11);
  for (Index sample = 0; sample < 11; ++sample) {
    EXPECT_EQ(preview.labels[static_cast<std::size_t>(sample)],
              dataset.label(Split::kTrain, sample));
    EXPECT_EQ(preview.inputs(7, sample),
              static_cast<float>(dataset.pixel(Split::kTrain, sample, 7)) / 255.0f);
  }
}

TEST_F(TrainerOnTinySet, TellsOfEachCheckpointOnceItIsThere) {
  const TinyRun run =
      train_tiny(configuration, comm, {.checkpoint_every = {.steps = 20}, .keep_checkpoints = 99});
  std::set<Index> there;
  for (const auto& entry : std::filesystem::directory_iterator(configuration.run / "checkpoints")) {
    there.insert(load_checkpoint(entry.path()).state.progress.step);
  }
  // The last may be saved twice: as that of the best epoch, and as that of the end.
  EXPECT_EQ(std::set(run.observer.saved.begin(), run.observer.saved.end()), there);
  EXPECT_EQ(*there.rbegin(), 63);
}

TEST_F(TrainerOnTinySet, TheChosenModelsHardestTestSamplesAreTold) {
  const TinyRun run = train_tiny(configuration, comm);
  ASSERT_EQ(run.result.models.back().hardest.size(), 31u);  // Fewer than the 50 that are told.
  EXPECT_EQ(run.result.models.back().hardest[0].pixels.size(), 30u);
}

TEST_F(TrainerOnTinySet, WithoutATestSetTheHardestSamplesAreOfTheTrainingFileByNumber) {
  dataset.test_count = 0;
  dataset.write(configuration.data);
  const TinyRun run = train_tiny(configuration, comm);
  const auto& hardest = run.result.models.back().hardest;
  ASSERT_EQ(hardest.size(), 11u);
  for (const HardSample& hard : hardest) {
    const auto pixel = static_cast<float>(dataset.pixel(Split::kTrain, hard.sample, 7)) / 255.0f;
    EXPECT_EQ(hard.pixels[7], pixel) << hard.sample;
    EXPECT_EQ(hard.label, dataset.label(Split::kTrain, hard.sample)) << hard.sample;
  }
}

TEST_F(TrainerOnTinySet, WithoutValidationThereIsNoBest) {
  configuration.validation_size = 0;
  const TinyRun run = train_tiny(configuration, comm);
  EXPECT_EQ(run.result.models.size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(configuration.run / "best.h5"));
}

TEST_F(TrainerOnTinySet, RefusesAFolderThatHoldsARun) {
  train_tiny(configuration, comm);
  EXPECT_THROW(train_tiny(configuration, comm), OutputError);
}

TEST_F(TrainerOnTinySet, RefusesAValidationSetThatLeavesNothingAndMakesNoFolder) {
  configuration.validation_size = 97;
  EXPECT_THROW(train_tiny(configuration, comm), DataError);
  EXPECT_FALSE(std::filesystem::exists(configuration.run));
}

TEST_F(TrainerOnTinySet, RefusesToClassifyADataSetWithoutLabels) {
  dataset.labels = false;
  dataset.write(configuration.data);
  configuration.finetune = Finetune::kClassify;
  EXPECT_THROW(train_tiny(configuration, comm), DataError);
}

TEST_F(TrainerOnTinySet, WithoutLabelsTheBestModelReconstructsTheValidationSetBest) {
  dataset.labels = false;
  dataset.write(configuration.data);
  const TinyRun run = train_tiny(configuration, comm);
  const Checkpoint best = load_checkpoint(configuration.run / "best.h5");
  EXPECT_EQ(best.topology.classes, 0);
  double least = std::numeric_limits<double>::infinity();
  for (const EpochReport& epoch : run.observer.epochs) {
    EXPECT_FALSE(epoch.train_error);
    if (epoch.stage != "finetune") continue;
    ASSERT_TRUE(epoch.validation && epoch.validation->reconstruction);
    EXPECT_FALSE(epoch.validation->errors);
    least = std::min(least, epoch.validation->loss);
  }
  EXPECT_EQ(best.state.best->figure, least);
  EXPECT_LT(run.observer.epochs.back().loss, run.observer.epochs.front().loss);
}

TEST_F(TrainerOnTinySet, TrainingEndsEarlyWithoutABetterValidationFigure) {
  configuration.finetune_epochs = 50;
  configuration.finetune_learning_rate = 0;  // Each epoch is as good as the first.
  configuration.early_stop = 4;
  const TinyRun run = train_tiny(configuration, comm);
  EXPECT_EQ(std::ranges::count(run.observer.epochs, "finetune", &EpochReport::stage), 5);
  EXPECT_EQ(load_checkpoint(configuration.run / "best.h5").state.best->epoch, 5);
}

TEST_F(TrainerOnTinySet, ARunStartsFromTheLayersAndTheScalingOfAModel) {
  configuration.scale = ScalingKind::kStandard;
  const TinyRun first = train_tiny(configuration, comm);
  const Checkpoint pretrained = load_checkpoint(configuration.run / "pretrained.h5");
  EXPECT_EQ(pretrained.stage_name(), "finetune");
  EXPECT_EQ(pretrained.state.progress.epoch, 0);

  Configuration next = configuration;
  next.initial_model = configuration.run / "pretrained.h5";
  next.run = folder.path() / "next";
  next.scale.reset();
  for (LayerSettings& layer : next.layers) layer.epochs = 0;
  EXPECT_EQ(train_tiny(next, comm).parameters, first.parameters);
  const Checkpoint model = load_checkpoint(next.run / "model.h5");
  EXPECT_EQ(model.data.scaling.offset, pretrained.data.scaling.offset);

  next.run = folder.path() / "other";
  next.layers[1].units = 8;
  expect_error<DataError>([&] { train_tiny(next, comm); },
                          {"pretrained.h5", "hidden layer 2 has 9 units, not 8"});
}

TEST_F(TrainerOnTinySet, ARunDeeperThanItsInitialModelBeginsWithAnOutputLayerOfItsOwn) {
  configuration.layers = {configuration.layers[1]};
  const TinyRun shallow = train_tiny(configuration, comm);
  Configuration deep = configuration;
  deep.initial_model = configuration.run / "model.h5";
  deep.run = folder.path() / "deep";
  deep.layers.push_back(deep.layers[0]);
  for (LayerSettings& layer : deep.layers) layer.epochs = 0;
  deep.finetune_epochs = 0;
  const TinyRun run = train_tiny(deep, comm);
  const ParameterLayout of_shallow(shallow.observer.summary.topology);
  const ParameterLayout layout(run.observer.summary.topology);
  EXPECT_EQ(view_of(run.parameters, layout.hidden(0).weights),
            view_of(shallow.parameters, of_shallow.hidden(0).weights));
  Vector<float> initial;
  initialize_parameters(layout, deep.seed, initial);
  EXPECT_EQ(view_of(run.parameters, layout.output().weights),
            view_of(initial, layout.output().weights));
}

TEST_F(TrainerOnTinySet, WarnsOfOddData) {
  DatasetInfo info = dataset.info();
  info.pixel_type = PixelType::kFloat32;
  info.features = 4;
  info.height = info.width = 0;
  info.feature_names = {"age", "unit", "income", "height"};
  info.class_names = {"no", "yes", "perhaps"};
  info.test_count = 0;
  info.has_test_labels = false;
  DatasetWriter writer(configuration.data, info);
  std::vector<std::uint16_t> labels;
  for (Index sample = 0; sample < 97; ++sample) {
    const auto x = static_cast<float>(sample % 10);
    const std::array<float, 4> values = {x, -2.5f, sample == 60 ? 1e9f : 1 + x, 0.5f * x};
    writer.append_images(Split::kTrain, std::as_bytes(std::span(values)));
    labels.push_back(sample == 50 || sample == 51 ? 2 : static_cast<std::uint16_t>(sample % 2));
  }
  writer.append_labels(Split::kTrain, labels);
  writer.finish();
  configuration.validation = ValidationChoice::kFirst;
  const auto warnings = train_tiny(configuration, comm).observer.warnings;
  ASSERT_EQ(warnings.size(), 4u);
  EXPECT_NE(warnings[0].find("same value in all training samples: 'unit'"), std::string::npos);
  EXPECT_NE(warnings[1].find("'income' (1e+09"), std::string::npos);
  EXPECT_NE(warnings[2].find("perhaps (2)"), std::string::npos);
  EXPECT_NE(warnings[3].find("no sample of class perhaps"), std::string::npos);
}

TEST_F(TrainerOnTinySet, WarnsOncePerStageOfALossThatDoesNotFall) {
  configuration.layers[0].learning_rate = configuration.layers[1].learning_rate = 300;
  configuration.momentum = 0;
  configuration.finetune_epochs = 0;
  const auto warnings = train_tiny(configuration, comm).observer.warnings;
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find(" of pretrain1, "), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find(" of pretrain2, "), std::string::npos) << warnings[1];
}

TEST_F(TrainerOnTinySet, FewLabelsTrainTheClassifierAndAllSamplesTheLayers) {
  configuration.labelled = 12;
  const TinyRun run = train_tiny(configuration, comm);
  for (const EpochReport& epoch : run.observer.epochs) {
    EXPECT_EQ(epoch.samples, epoch.stage == "finetune" ? 12 : 86);
  }
  configuration.labelled = 87;
  configuration.run = folder.path() / "more";
  expect_error<DataError>([&] { train_tiny(configuration, comm); }, {"--labelled 87", "86"});
}

TEST_F(TrainerOnTinySet, FloatPixelsTrainAsTheBytesTheyCameFrom) {
  const TinyRun bytes = train_tiny(configuration, comm);
  dataset.pixel_type = PixelType::kFloat32;
  dataset.write(configuration.data);
  configuration.run = folder.path() / "floats";
  EXPECT_EQ(bytes.parameters, train_tiny(configuration, comm).parameters);
}

}  // namespace
}  // namespace sae
