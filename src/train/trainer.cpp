#include "sae/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sae/comm/host.hpp"
#include "sae/core/error.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/optim/sgd.hpp"
#include "sae/train/gradient_averaging.hpp"

namespace sae {
namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Refuses a data set that cannot serve the configuration. On rank 0, before
/// the others wait for data: one message, not one a rank.
void check_dataset(const Configuration& configuration, const DatasetInfo& info) {
  if (!info.has_train_labels) {
    throw DataError(fmt::format("The data set {} has no /train/labels to train a classifier with.",
                                configuration.data.string()));
  }
  if (info.train_count > Index{0xffffffff}) {
    throw DataError(
        fmt::format("The data set {} has {} training samples; at most 2^32 - 1 can be "
                    "told apart by the random numbers.",
                    configuration.data.string(), info.train_count));
  }
  if (configuration.validation_size >= info.train_count) {
    throw DataError(fmt::format(
        "A validation set of {} samples (--validation-size) leaves nothing to train on: {} has {} "
        "training samples.",
        configuration.validation_size, configuration.data.string(), info.train_count));
  }
}

}  // namespace

Trainer::Trainer(const Configuration& configuration, DistributedDataset& dataset,
                 Communicator& comm, TrainingObserver& observer)
    : configuration_(configuration),
      dataset_(dataset),
      comm_(comm),
      observer_(observer),
      folder_(configuration.run),
      layout_(topology_for(configuration, dataset.info())),
      stages_(plan_stages(configuration, layout_)),
      training_(dataset.record_format(), 0, {}),
      validation_(training_),
      test_(training_) {
  const DatasetInfo& info = dataset.info();
  if (comm.is_root()) check_dataset(configuration, info);
  comm.barrier();
  const Index validation_size = configuration.validation_size;
  training_ = dataset.load_shard(Split::kTrain, {validation_size, info.train_count});
  validation_ = dataset.load_shard(Split::kTrain, {0, validation_size});
  test_ = dataset.load_shard(Split::kTest, {0, info.has_test_labels ? info.test_count : 0});
  initialize_parameters(layout_, configuration.seed, parameters_);
  gradient_ = Vector<float>::Zero(layout_.size());
  if (configuration.momentum > 0) velocity_ = Vector<float>::Zero(layout_.size());
  // Last, and once all ranks have read theirs, so that unsuitable data leave nothing behind.
  comm.barrier();
  if (comm.is_root()) folder_.create(configuration.text);
}

RunSummary Trainer::summary() {
  RunSummary result;
  result.topology = layout_.topology();
  result.dataset = dataset_.info();
  result.parameters = layout_.size();
  result.training_samples = training_.set_size();
  result.validation_samples = validation_.set_size();
  result.test_samples = test_.set_size();
  result.hosts = comm_.allgather(host_name());
  const Index steps = steps_per_epoch(training_.set_size(), configuration_.batch_size);
  for (const Stage& stage : stages_) {
    const double flop =
        stage.objective->flop_per_sample() * static_cast<double>(training_.set_size());
    result.stages.push_back({stage.name, stage.epochs, steps, flop});
  }
  // Parameters, gradient, the best so far and perhaps velocities; shards with the index of
  // an epoch; three windows; inputs, codes and deltas of a minibatch.
  const double vectors = configuration_.momentum > 0 ? 4 : 3;
  const auto units = static_cast<double>(layout_.topology().inputs) +
                     3.0 * static_cast<double>(*std::max_element(layout_.topology().hidden.begin(),
                                                                 layout_.topology().hidden.end()));
  const auto shards =
      static_cast<double>(training_.size_bytes() + validation_.size_bytes() + test_.size_bytes()) +
      8.0 * static_cast<double>(training_.samples().size());
  const auto local_batch = static_cast<double>(configuration_.batch_size) / comm_.size();
  result.memory_per_rank = 4 * vectors * static_cast<double>(layout_.size()) + shards +
                           3.0 * EpochStream::kWindowBytes + 4 * units * local_batch;
  return result;
}

RunResult Trainer::run() {
  const Stopwatch watch;
  const RunSummary plan = summary();
  if (comm_.is_root()) observer_.run_begins(plan);
  for (const Stage& stage : stages_) train_stage(stage);

  progress_.finished = true;
  save(folder_.model(), parameters_, progress_);
  const auto judge = [&](std::string file, Index epoch, const Vector<float>& parameters) {
    ModelResult model{.file = std::move(file), .epoch = epoch, .validation = {}, .test = {}};
    if (validation_.set_size() > 0) {
      model.validation = evaluate(layout_, parameters, validation_, comm_);
    }
    if (test_.set_size() > 0) model.test = evaluate(layout_, parameters, test_, comm_);
    return model;
  };
  RunResult result;
  result.models.push_back(
      judge(folder_.model().filename(), configuration_.finetune_epochs, parameters_));
  if (best_) {
    result.models.push_back(judge(folder_.best().filename(), best_->epoch, best_->parameters));
  }
  result.seconds = watch.seconds();
  if (comm_.is_root()) observer_.run_done(result);
  return result;
}

void Trainer::train_stage(const Stage& stage) {
  if (velocity_.size() > 0) velocity_.setZero();
  progress_.stage = stage.name;
  for (Index epoch = 1; epoch <= stage.epochs; ++epoch) {
    progress_.epoch = epoch;
    const EpochTotals totals = train_epoch(stage, epoch);
    EpochReport report;
    report.stage = stage.name;
    report.epoch = epoch;
    report.epochs = stage.epochs;
    report.step = progress_.step;
    report.learning_rate = stage.learning_rate.at(static_cast<double>(epoch) -
                                                  1.0 / static_cast<double>(totals.steps));
    report.loss = totals.sums.loss / totals.sums.samples;
    report.samples = static_cast<Index>(totals.sums.samples);
    report.seconds = totals.seconds;
    report.samples_per_second = totals.sums.samples / totals.seconds;
    report.communication_share = totals.communication_seconds / totals.seconds;
    if (stage.supervised) {
      report.train_error = 100 * totals.sums.errors / totals.sums.samples;
      if (validation_.set_size() > 0) {
        report.validation = evaluate(layout_, parameters_, validation_, comm_);
        keep_if_best(report);
      }
    }
    if (comm_.is_root()) observer_.epoch_done(report);
  }
}

Trainer::EpochTotals Trainer::train_epoch(const Stage& stage, Index epoch) {
  const auto number = static_cast<std::uint32_t>(epoch);
  const EpochOrder order(configuration_.seed, stage.index, number, training_.set_size());
  const Index steps = steps_per_epoch(training_.set_size(), configuration_.batch_size);
  const Stopwatch watch;
  EpochTotals totals;
  const auto communicate = [&](auto&& action) {
    const Stopwatch communication;
    auto result = action();
    totals.communication_seconds += communication.seconds();
    return result;
  };
  EpochStream minibatches(training_, order, configuration_.batch_size, 0, comm_);
  Minibatch<float> minibatch;
  while (communicate([&] { return minibatches.next(minibatch); })) {
    const double learning_rate =
        stage.learning_rate.at(static_cast<double>(epoch - 1) +
                               static_cast<double>(totals.steps) / static_cast<double>(steps));
    ObjectiveSums sums = stage.objective->evaluate(parameters_, minibatch, number, gradient_);
    communicate([&] {
      sum_over_ranks(stage.objective->slice(), gradient_, sums, comm_);
      return true;
    });
    update(stage, learning_rate, minibatch.global_size);

    ++totals.steps;
    ++progress_.step;
    totals.sums.loss += sums.loss;
    totals.sums.errors += sums.errors;
    totals.sums.samples += sums.samples;
    totals.seconds = watch.seconds();
    if (comm_.is_root()) {
      observer_.step_done({.stage = stage.index,
                           .epoch = epoch,
                           .step = totals.steps,
                           .loss = sums.loss / sums.samples,
                           .samples = minibatch.global_size,
                           .communication_share = totals.communication_seconds / totals.seconds,
                           .samples_per_second = totals.sums.samples / totals.seconds});
    }
  }
  return totals;
}

void Trainer::update(const Stage& stage, double learning_rate, Index batch_size) {
  const Range slice = stage.objective->slice();
  SgdStep step{.learning_rate = static_cast<float>(learning_rate),
               .momentum = static_cast<float>(configuration_.momentum),
               .weight_decay = 0,
               .gradient_scale = 1.0f / static_cast<float>(batch_size)};
  for (const ParameterView& view : layout_.views()) {
    if (!slice.contains(view.offset)) continue;
    const auto part = [&view](Vector<float>& flat) {
      return flat.size() > 0
                 ? std::span(flat.data() + view.offset, static_cast<std::size_t>(view.size()))
                 : std::span<float>();
    };
    step.weight_decay = view.is_weights ? static_cast<float>(configuration_.weight_decay) : 0.0f;
    sgd_update(part(parameters_), part(gradient_), part(velocity_), step);
  }
}

void Trainer::keep_if_best(EpochReport& report) {
  // Of equals the later: it has seen more, at a lower learning rate.
  report.best = !best_ || report.validation->errors <= best_->validation.errors;
  if (!report.best) return;
  best_ = {.parameters = parameters_, .validation = *report.validation, .epoch = report.epoch};
  save(folder_.best(), parameters_, progress_);
}

void Trainer::save(const std::filesystem::path& path, const Vector<float>& parameters,
                   const Progress& progress) const {
  if (!comm_.is_root()) return;
  save_checkpoint(path, {.topology = layout_.topology(),
                         .parameters = parameters,
                         .progress = progress,
                         .seed = configuration_.seed,
                         .config = configuration_.text});
}

}  // namespace sae
