#include <gtest/gtest.h>

#include <string>

#include "sae/train/trainer.hpp"
#include "support/distributed_training.hpp"

namespace sae {
namespace {

struct JointTraining : DistributedTraining {
  JointTraining() {
    configuration.finetune = Finetune::kJoint;
    configuration.finetune_learning_rate = 0.01;
    configuration.finetune_corruption = 0.2;
    configuration.reconstruction_weight = 20;
    for (LayerSettings& layer : configuration.layers) layer.learning_rate = 0.01;
  }

  void set_activation(Activation activation) {
    for (LayerSettings& layer : configuration.layers) layer.activation = activation;
  }

  void use(const std::string& name) {
    configuration.run = folder.path() / name;
    if (name == "ladder") {
      set_activation(Activation::kRelu);
      configuration.normalization = Normalization::kBatch;
      configuration.lateral = true;
    } else if (name == "few labels") {
      configuration.labelled = 13;
      configuration.labelled_batch = 5;
      configuration.weight_average = 0.9;
    } else if (name == "distorted") {
      configuration.labelled = 0;
      configuration.labelled_batch = 0;
      configuration.lateral = false;
      set_activation(Activation::kTanh);
      configuration.distortion = {.rotation = 20, .shift = 1, .elastic = 8, .elastic_sigma = 2};
    } else if (name == "layers") {
      configuration.normalization = Normalization::kLayer;
      configuration.finetune_noise = NoiseKind::kMasking;
    } else {
      configuration.normalization = Normalization::kBatch;
      configuration.finetune = Finetune::kClassify;
      configuration.label_smoothing = 0.1;
    }
  }
};

constexpr const char* kKinds[] = {"ladder", "few labels", "distorted", "layers", "classifier"};

// By plain steps: Adam makes a step as large of a gradient that is 0 but for rounding.
TEST_F(JointTraining, IsThatOfOneProcess) {
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    use(kind);
    const TinyRun one = alone();
    const TinyRun all = train_tiny(configuration, comm);
    EXPECT_LT((one.parameters - all.parameters).cwiseAbs().maxCoeff(), 1e-4);
    EXPECT_EQ(one.result.models[0].test->errors, all.result.models[0].test->errors);
    if (!comm.is_root()) continue;
    ASSERT_EQ(one.observer.epochs.size(), all.observer.epochs.size());
    for (std::size_t i = 0; i < one.observer.epochs.size(); ++i) {
      const EpochReport& expected = one.observer.epochs[i];
      EXPECT_NEAR(expected.loss, all.observer.epochs[i].loss, 1e-4 * expected.loss);
      EXPECT_EQ(expected.samples, all.observer.epochs[i].samples);
    }
  }
}

// The statistics of batches that it validates with are those of the weights it has just got.
TEST_F(JointTraining, OfTheLastEpochIsValidatedAsTheFinalModelIs) {
  for (const char* kind : {"ladder", "few labels"}) {
    SCOPED_TRACE(kind);
    use(kind);
    const TinyRun run = train_tiny(configuration, comm);
    if (!comm.is_root()) continue;
    const auto& last = run.observer.epochs.back().validation;
    EXPECT_EQ(last->errors, run.result.models[0].validation->errors);
    EXPECT_EQ(last->loss, run.result.models[0].validation->loss);
  }
}

TEST_F(JointTraining, CutAndResumedGivesTheSameBits) {
  configuration.optimizer = OptimizerKind::kAdam;
  for (const char* kind : kKinds) {
    SCOPED_TRACE(kind);
    use(kind);
    const TinyRun whole = train_tiny(configuration, comm);
    for (const Index steps : {23, 41}) {
      configuration.run = folder.path() / (kind + std::to_string(steps));
      RunControl control{.resume = Resume::kAuto, .stop_after_steps = steps};
      EXPECT_TRUE(train_tiny(configuration, comm, control).result.stopped);
      control.stop_after_steps.reset();
      EXPECT_EQ(train_tiny(configuration, comm, control).parameters, whole.parameters);
      if (!comm.is_root()) continue;
      EXPECT_EQ(load_checkpoint(configuration.run / "best.h5").parameters,
                load_checkpoint(folder.path() / kind / "best.h5").parameters);
    }
  }
}

}  // namespace
}  // namespace sae
