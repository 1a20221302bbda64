#include "sae/train/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "sae/core/error.hpp"
#include "support/distributed_training.hpp"

namespace sae {
namespace {

TEST_F(DistributedTraining, GivesTheModelAndTheLossesOfOneProcess) {
  configuration.corruption_at = CorruptionAt::kImage;
  const TinyRun one = alone();
  const TinyRun all = train_tiny(configuration, comm);
  EXPECT_LT((one.parameters - all.parameters).cwiseAbs().maxCoeff(), 1e-5);
  EXPECT_EQ(one.result.models[0].test->errors, all.result.models[0].test->errors);
  if (!comm.is_root()) return;
  ASSERT_EQ(one.observer.epochs.size(), all.observer.epochs.size());
  for (std::size_t i = 0; i < one.observer.epochs.size(); ++i) {
    const EpochReport& expected = one.observer.epochs[i];
    EXPECT_NEAR(expected.loss, all.observer.epochs[i].loss, 1e-5 * expected.loss);
    EXPECT_EQ(all.observer.epochs[i].samples, 86);
  }
}

/// Trains with this configuration, and compares with one process.
void expect_parity(DistributedTraining& test) {
  const TinyRun one = test.alone();
  const TinyRun all = train_tiny(test.configuration, test.comm);
  EXPECT_LT((one.parameters - all.parameters).cwiseAbs().maxCoeff(), 2e-5);
  if (!test.comm.is_root()) return;
  ASSERT_EQ(one.observer.epochs.size(), all.observer.epochs.size());
  for (std::size_t i = 0; i < one.observer.epochs.size(); ++i) {
    const EpochReport& expected = one.observer.epochs[i];
    const EpochReport& found = all.observer.epochs[i];
    EXPECT_NEAR(expected.loss, found.loss, 1e-5 * expected.loss);
    EXPECT_EQ(expected.samples, found.samples);
    if (expected.validation) {
      EXPECT_EQ(expected.validation->errors, found.validation->errors);
      EXPECT_NEAR(expected.validation->loss, found.validation->loss,
                  1e-5 * expected.validation->loss);
    }
  }
  const auto scaling = [](const std::filesystem::path& run) {
    return load_checkpoint(run / "model.h5").data.scaling;
  };
  const Scaling expected = scaling(test.configuration.run.string() + "-alone0");
  const Scaling found = scaling(test.configuration.run);
  EXPECT_EQ(expected.offset, found.offset);
  EXPECT_EQ(expected.factor, found.factor);
  EXPECT_EQ(expected.values, found.values);
  EXPECT_EQ(expected.normal, found.normal);
}

TEST_F(DistributedTraining, OfADeepAutoencoderIsThatOfOneProcess) {
  configuration.finetune = Finetune::kReconstruct;
  configuration.scale = ScalingKind::kStandard;
  configuration.early_stop = 2;
  expect_parity(*this);
}

// Several choices at a time: each kind occurs once at least.
TEST_F(DistributedTraining, WithEachNoiseActivationOptimizerAndScalingIsThatOfOneProcess) {
  for (LayerSettings& layer : configuration.layers) layer.learning_rate = 0.01;
  configuration.finetune_learning_rate = 0.01;
  const auto value = [](const auto& kinds, std::size_t i) { return kinds[i % kinds.size()].value; };
  for (std::size_t i = 0; i < 4; ++i) {
    configuration.noise = value(noise_kinds(), i);
    for (LayerSettings& layer : configuration.layers) {
      layer.activation = value(activation_kinds(), i);
    }
    configuration.optimizer = value(optimizer_kinds(), i);
    configuration.scale = value(scaling_kinds(), i);
    configuration.run = folder.path() / std::to_string(i);
    expect_parity(*this);
  }
}

TEST_F(DistributedTraining, WithFewLabelsIsThatOfOneProcess) {
  configuration.labelled = 13;
  expect_parity(*this);
}

TEST_F(DistributedTraining, ShowsTheSameSamplesAndTheCurrentParameters) {
  configuration.validation_size = 0;
  const TinyRun one = alone();
  const TinyRun all = train_tiny(configuration, comm);
  if (!comm.is_root()) return;
  EXPECT_EQ(all.observer.parameters, all.parameters);
  EXPECT_EQ(all.observer.summary.preview.size(), 20);
  EXPECT_EQ(all.observer.summary.preview.inputs, one.observer.summary.preview.inputs);
  EXPECT_EQ(all.observer.summary.preview.labels, one.observer.summary.preview.labels);
}

TEST_F(DistributedTraining, EveryRankHoldsTheSameBits) {
  const TinyRun run = train_tiny(configuration, comm);
  Vector<float> of_root = run.parameters;
  comm.broadcast(
      std::as_writable_bytes(std::span(of_root.data(), static_cast<std::size_t>(of_root.size()))),
      0);
  EXPECT_EQ(of_root, run.parameters);
}

TEST_F(DistributedTraining, TwiceGivesTheSameBits) {
  const TinyRun first = train_tiny(configuration, comm);
  configuration.run = folder.path() / "again";
  EXPECT_EQ(first.parameters, train_tiny(configuration, comm).parameters);
}

TEST_F(DistributedTraining, EvaluationCountsEachSampleOnce) {
  const TinyRun run = train_tiny(configuration, comm);
  for (const ModelResult& model : run.result.models) {
    EXPECT_EQ(model.validation->samples, 11);
    EXPECT_EQ(model.test->samples, 31);
  }
}

TEST_F(DistributedTraining, EachEpochTellsWhereTheTimeOfEachRankWent) {
  const TinyRun run = train_tiny(configuration, comm);
  if (!comm.is_root()) return;
  for (const EpochReport& epoch : run.observer.epochs) {
    ASSERT_EQ(epoch.times.size(), static_cast<std::size_t>(comm.size()));
    for (const RankTime& time : epoch.times) {
      double sum = 0;
      for (const double seconds : time.parts) {
        EXPECT_GE(seconds, 0);
        sum += seconds;
      }
      EXPECT_GT(time.parts[static_cast<std::size_t>(ProfiledPart::kObjective)], 0);
      EXPECT_GT(sum, 0);
      EXPECT_LE(sum, time.total * (1 + 1e-9));
    }
  }
}

TEST_F(DistributedTraining, ABatchOfOneSampleLeavesTheOtherRanksWithNone) {
  configuration.batch_size = 1;
  configuration.finetune_epochs = 1;
  const TinyRun one = alone();
  const TinyRun all = train_tiny(configuration, comm);
  EXPECT_LT((one.parameters - all.parameters).cwiseAbs().maxCoeff(), 1e-5);
}

TEST_F(DistributedTraining, CutAndResumedGivesTheSameBits) {
  const TinyRun whole = train_tiny(configuration, comm);
  configuration.run = folder.path() / "cut";
  RunControl control{.resume = Resume::kAuto, .stop_after_steps = 23};
  EXPECT_TRUE(train_tiny(configuration, comm, control).result.stopped);
  control.stop_after_steps.reset();
  const TinyRun rest = train_tiny(configuration, comm, control);
  EXPECT_EQ(rest.parameters, whole.parameters);
}

TEST_F(DistributedTraining, CutAndGoneOnWithByOneRankGivesTheSameToRounding) {
  const TinyRun whole = train_tiny(configuration, comm);
  configuration.run = folder.path() / "cut";
  RunControl control{.resume = Resume::kAuto, .stop_after_steps = 23};
  train_tiny(configuration, comm, control);
  if (!comm.is_root()) return;
  SelfCommunicator self;
  control.stop_after_steps.reset();
  const TinyRun rest = train_tiny(configuration, self, control);
  EXPECT_LT((rest.parameters - whole.parameters).cwiseAbs().maxCoeff(), 1e-5);
  for (const EpochReport& epoch : rest.observer.epochs) EXPECT_EQ(epoch.samples, 86);
}

/// Largest difference of the losses of the epochs, relative to them. On rank 0; else 0.
double difference_of_losses(const TinyRun& a, const TinyRun& b) {
  double largest = 0;
  EXPECT_EQ(a.observer.epochs.size(), b.observer.epochs.size());
  for (std::size_t i = 0; i < a.observer.epochs.size(); ++i) {
    const double loss = a.observer.epochs[i].loss;
    largest = std::max(largest, std::abs(loss - b.observer.epochs[i].loss) / loss);
  }
  return largest;
}

TEST_F(DistributedTraining, OfReplicatedAndShardedSamplesGivesTheSameBits) {
  configuration.layers.push_back({.units = 8, .corruption = 0.5, .epochs = 2});
  for (const CacheCodes codes : {CacheCodes::kOn, CacheCodes::kOff}) {
    configuration.cache_codes = codes;
    Vector<float> sharded;
    for (const DataPlacement placement :
         {DataPlacement::kSharded, DataPlacement::kReplicated, DataPlacement::kAuto}) {
      configuration.data_placement = placement;
      const std::string name =
          std::to_string(static_cast<int>(codes)) + std::to_string(static_cast<int>(placement));
      configuration.run = folder.path() / name;
      const TinyRun run = train_tiny(configuration, comm);
      if (placement == DataPlacement::kSharded) sharded = run.parameters;
      EXPECT_EQ(run.parameters, sharded);
      if (!comm.is_root() || comm.size() == 1) continue;
      const bool parts = placement == DataPlacement::kSharded;
      EXPECT_NE(
          run.observer.summary.data_placement.find(parts ? "a part on each rank" : "on each node"),
          std::string::npos);
    }
  }
}

struct KeptCodes : DistributedTraining {
  /// As asked for, in a folder of its own.
  TinyRun train(CacheCodes choice, const char* name, const RunControl& control = {}) {
    configuration.cache_codes = choice;
    configuration.run = folder.path() / name;
    return train_tiny(configuration, comm, control);
  }
};

TEST_F(KeptCodes, GiveTheModelAndLossesOfCodesComputedInEveryStep) {
  configuration.layers.push_back({.units = 8, .corruption = 0.5, .epochs = 2});
  const TinyRun kept = train(CacheCodes::kOn, "kept");
  const TinyRun computed = train(CacheCodes::kOff, "computed");
  EXPECT_LT((kept.parameters - computed.parameters).cwiseAbs().maxCoeff(), 1e-5);
  EXPECT_LT(difference_of_losses(kept, computed), 1e-6);
  const TinyRun one = alone();
  EXPECT_LT((kept.parameters - one.parameters).cwiseAbs().maxCoeff(), 1e-5);
  if (!comm.is_root()) return;
  EXPECT_NE(kept.observer.summary.codes.find("kept"), std::string::npos);
  EXPECT_NE(computed.observer.summary.codes.find("computed"), std::string::npos);
  EXPECT_LT(kept.observer.summary.stages[2].flop_per_epoch,
            computed.observer.summary.stages[2].flop_per_epoch);
}

TEST_F(KeptCodes, OfBfloat16GiveTheLossesOfThoseComputedInEveryStep) {
  configuration.precision = Precision::kBfloat16;
  const TinyRun kept = train(CacheCodes::kOn, "kept");
  const TinyRun computed = train(CacheCodes::kOff, "computed");
  // Half of the last of 8 bits, where a sum falls on the other side of a rounding.
  EXPECT_LT(difference_of_losses(kept, computed), 1.0 / 512);
}

TEST_F(KeptCodes, CutInTheMiddleOfTheirStageAndResumedGiveTheSameBits) {
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    configuration.precision = precision;
    const std::string suffix = precision == Precision::kFloat32 ? "32" : "16";
    const TinyRun whole = train(CacheCodes::kAuto, ("whole" + suffix).c_str());
    RunControl control{.resume = Resume::kAuto, .stop_after_steps = 23};  // 18 in the first stage.
    EXPECT_TRUE(train(CacheCodes::kOn, ("cut" + suffix).c_str(), control).result.stopped);
    control.stop_after_steps.reset();
    const TinyRun rest = train(CacheCodes::kAuto, ("cut" + suffix).c_str(), control);
    EXPECT_EQ(rest.parameters, whole.parameters);
  }
}

TEST_F(KeptCodes, AResumedRunGoesOnAsItBeganUnlessToldOtherwise) {
  RunControl control{.resume = Resume::kAuto, .stop_after_steps = 5};
  train(CacheCodes::kOff, "cut", control);
  const TinyRun second = train(CacheCodes::kAuto, "cut", control);
  const TinyRun third = train(CacheCodes::kOn, "cut", control);
  if (!comm.is_root()) return;
  EXPECT_NE(second.observer.summary.codes.find("began so"), std::string::npos);
  EXPECT_NE(third.observer.summary.codes.find("kept"), std::string::npos);
}

TEST_F(DistributedTraining, AStopAskedOfOneRankStopsAllAtTheSameStep) {
  RunControl control;
  control.stop_requested = [this, asked = 0]() mutable {
    return ++asked == 7 && comm.rank() == comm.size() - 1;
  };
  const TinyRun run = train_tiny(configuration, comm, control);
  EXPECT_TRUE(run.result.stopped);
  EXPECT_EQ(run.result.step, 7);
}

TEST_F(DistributedTraining, ANaNInTheGradientOfOneRankEndsAllInTheSameStep) {
  expect_all_end_by_nan(5, "step 6");
}

TEST_F(DistributedTraining, EachPartOfAGradientIsProgress) {
  for (const Averaging averaging : {Averaging::kFlat, Averaging::kNode}) {
    configuration.averaging = averaging;
    configuration.run = folder.path() / (averaging == Averaging::kFlat ? "flat" : "node");
    Heartbeat heartbeat;
    RunControl control;
    control.heartbeat = &heartbeat;
    Index parts = 0;
    control.gradient_hook = [&, before = std::int64_t{0}](Index, Range, std::span<float>) mutable {
      ++parts;
      EXPECT_GT(heartbeat.last_progress, before);
      before = heartbeat.last_progress;
    };
    const TinyRun run = train_tiny(configuration, comm, control);
    EXPECT_GT(parts, run.result.step);
  }
}

TEST_F(DistributedTraining, OverAndOverKeepsNoSharedMemory) {
  configuration.averaging = Averaging::kNode;
  const auto mapped = [] {
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string line; std::getline(maps, line);) {
      if (line.find("osc_") != std::string::npos) ++count;
    }
    return count;
  };
  const int before = mapped();
  for (const char* name : {"first", "second"}) {
    configuration.run = folder.path() / name;
    train_tiny(configuration, comm);
    EXPECT_EQ(mapped(), before);
  }
}

}  // namespace
}  // namespace sae
