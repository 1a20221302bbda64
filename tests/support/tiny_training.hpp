#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "sae/train/trainer.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {

/// A configuration that trains on TinyDataset in no time, with all that can differ between
/// ranks: noise, momentum, weight decay, a batch that does not divide the samples.
inline Configuration tiny_configuration(const std::filesystem::path& data,
                                        const std::filesystem::path& run) {
  Configuration c;
  c.data = data;
  c.run = run;
  c.seed = 7;
  c.layers = {{.units = 12, .corruption = 0.25, .epochs = 2, .learning_rate = 0.1},
              {.units = 9, .corruption = 0.5, .epochs = 2, .learning_rate = 0.1}};
  c.pretrain_schedule = Schedule::kConstant;
  c.finetune_epochs = 3;
  c.finetune_learning_rate = 0.2;
  c.batch_size = 10;
  c.precision = c.gradient_precision = Precision::kFloat32;
  c.momentum = 0.5;
  c.weight_decay = 1e-3;
  c.validation_size = 11;
  return c;
}

/// Keeps what the trainer reports.
struct RecordingObserver final : TrainingObserver {
  void run_begins(const RunSummary& given) override { summary = given; }
  void step_done(const StepReport& report) override { steps.push_back(report); }
  void epoch_done(const EpochReport& report) override {
    epochs.push_back(report);
    const auto now = summary.live_parameters;
    parameters = Eigen::Map<const Vector<float>>(now.data(), static_cast<Index>(now.size()));
  }
  void checkpoint_saved(Index step) override { saved.push_back(step); }
  void warning(const std::string& sentence) override { warnings.push_back(sentence); }
  void rewound(Index step, const std::string& given) override {
    summary.step = step;
    summary.history = given;
  }
  void run_done(const RunResult& given) override { result = given; }

  RunSummary summary;
  std::vector<StepReport> steps;
  std::vector<EpochReport> epochs;
  std::vector<Index> saved;
  std::vector<std::string> warnings;
  RunResult result;
  Vector<float> parameters;  ///< As seen after the last epoch.
};

/// The outcome of a whole run.
struct TinyRun {
  RecordingObserver observer;
  RunResult result;
  Vector<float> parameters;
};

/// Collective.
inline TinyRun train_tiny(const Configuration& configuration, Communicator& comm,
                          const RunControl& control = {}) {
  TinyRun run;
  DistributedDataset dataset(configuration.data, configuration.data_access, comm);
  RunControl patient = control;
  patient.checkpoint_patience = 60;  // Each checkpoint that is asked for is there.
  Trainer trainer(configuration, patient, dataset, comm, run.observer);
  run.result = trainer.run();
  run.parameters = trainer.parameters();
  trainer.close();
  return run;
}

}  // namespace sae
