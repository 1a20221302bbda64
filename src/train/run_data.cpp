#include "sae/train/run_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

#include "sae/core/error.hpp"
#include "sae/data/epoch_order.hpp"
#include "sae/train/evaluation.hpp"

namespace sae {

void check_dataset(const Configuration& configuration, const DatasetInfo& info) {
  const std::string data = configuration.data.string();
  if (!info.has_train_labels && (uses_labels(configuration) || configuration.labelled > 0)) {
    throw DataError(
        fmt::format("The data set {} has no /train/labels to train a classifier with.", data));
  }
  if (configuration.distortion.is_used() && info.height == 0) {
    throw DataError(
        fmt::format("The samples of {} are not images that could be distorted: they "
                    "are flat.",
                    data));
  }
  if (info.train_count > Index{0xffffffff}) {
    throw DataError(
        fmt::format("The data set {} has {} training samples; at most 2^32 - 1 can be "
                    "told apart by the random numbers.",
                    data, info.train_count));
  }
  if (configuration.validation_size.value_or(0) >= info.train_count) {
    throw DataError(fmt::format(
        "A validation set of {} samples (--validation-size) leaves nothing to train on: {} has {} "
        "training samples.",
        *configuration.validation_size, data, info.train_count));
  }
}

RunData::RunData(const Configuration& configuration, DistributedDataset& dataset,
                 Communicator& comm)
    : info(dataset.info()),
      training(dataset.record_format(), 0, {}),
      validation(dataset.record_format(), 0, {}),
      test(dataset.record_format(), 0, {}) {
  const TrainingSets sets = choose_training_sets(set_settings(configuration), dataset, comm);
  training = dataset.load_shard(sets.training);
  const bool may_classify = info.has_train_labels && (configuration.finetune == Finetune::kAuto ||
                                                      uses_labels(configuration));
  if (may_classify && sets.labelled) labelled = dataset.load_shard(*sets.labelled);
  // Whole blocks per shard make evaluation sums independent of the number of ranks.
  const Index whole = configuration.reproducible ? kEvaluationBlock : 1;
  validation = dataset.load_shard(sets.validation, whole);
  validation_set = sets.validation;
  const bool test_used = !may_classify || info.has_test_labels;
  test = dataset.load_shard(SampleSet(Split::kTest, {0, test_used ? info.test_count : 0}), whole);
  for (const Shard* set : {&training, &validation, &test}) {
    const std::uint64_t own = sae::digest(*set);
    const auto of_ranks = comm.allgather_values(std::span(&own, 1));
    const std::uint64_t sum = std::accumulate(of_ranks.begin(), of_ranks.end(), std::uint64_t{0});
    digest = std::rotl(digest, 21) ^ sum;  // Swapped sets change the digest.
  }
}

void RunData::scale_by(const Scaling& given) {
  scaling = given;
  training = scaled(std::move(training), scaling);
  if (labelled) labelled = scaled(std::move(*labelled), scaling);
  validation = scaled(std::move(validation), scaling);
  test = scaled(std::move(test), scaling);
}

void RunData::draw_donors(std::uint64_t seed, Communicator& comm) {
  constexpr Index kMostDonors = 1024;
  constexpr Index kMostValues = Index{1} << 24;
  constexpr std::uint32_t kNoStage = 65535;
  const Index size = training.set_size();
  const Index count =
      std::min({size, kMostDonors, std::max<Index>(kMostValues / info.features, 1)});
  const EpochOrder order(seed, kNoStage, 0, size);
  std::vector<Index> positions;
  for (Index i = 0; i < count; ++i) positions.push_back(order.sample_at(i));
  std::ranges::sort(positions);
  Matrix<float> drawn = gather_samples(training, positions, comm);
  drawn.resize(info.features, count);
  comm.broadcast(
      std::as_writable_bytes(std::span(drawn.data(), static_cast<std::size_t>(drawn.size()))), 0);
  donors = std::make_shared<const Matrix<float>>(std::move(drawn));
}

/// How many classes the labelled training samples have. Collective.
Index classes_of_training(const RunData& data, Communicator& comm) {
  return std::ranges::count_if(class_counts(data.shard_for(true), data.info.classes, comm),
                               [](Index count) { return count > 0; });
}

void decide_by_data(Configuration& configuration, const RunData& data, const Configuration* resumed,
                    Communicator& comm) {
  Configuration& c = configuration;
  if (c.finetune == Finetune::kAuto) {
    // One class is nothing to tell from another.
    const bool has_labels = data.info.has_train_labels && classes_of_training(data, comm) > 1;
    c.finetune = resumed      ? resumed->finetune
                 : has_labels ? Finetune::kClassify
                              : Finetune::kReconstruct;
  }
  if (uses_labels(c) && data.shard_for(true).set_size() == 0) {
    throw DataError(
        fmt::format("No training sample of {} has a label to classify by.", c.data.string()));
  }
  const bool bytes = data.info.pixel_type == PixelType::kUint8;
  const auto [least, most] = bytes ? std::pair(0.0f, 1.0f) : range_of(data.training, comm);
  const bool within = least >= 0 && most <= 1;
  decide(c, &Configuration::scale, resumed, within ? ScalingKind::kNone : ScalingKind::kStandard);
  if (c.distortion.is_used() && c.scale != ScalingKind::kNone) {
    throw DataError(fmt::format("Images are distorted as they are: --scale {} does not go with it.",
                                name_of(*c.scale, scaling_kinds())));
  }
  const bool in_unit_interval =
      (c.scale == ScalingKind::kNone && within) || c.scale == ScalingKind::kMinMax;
  decide(c, &Configuration::visible, resumed,
         in_unit_interval ? Visible::kBernoulli : Visible::kGaussian);
  constexpr Index kMostBesides = 100;
  const Index labelled = data.shard_for(true).set_size();
  const bool few = c.finetune == Finetune::kJoint && labelled < data.training.set_size();
  decide(c, &Configuration::labelled_batch, resumed, few ? std::min(labelled, kMostBesides) : 0);
  decide(c, &Configuration::finetune_learning_rate, resumed, finetune_learning_rate_of(c));
  if (c.visible == Visible::kBernoulli && !in_unit_interval) {
    throw DataError(fmt::format(
        "--visible bernoulli needs inputs within [0, 1], but with --scale {} those of {} are not: "
        "the values of its training samples run from {:.6g} to {:.6g}. Take --visible gaussian, or "
        "--scale min-max.",
        name_of(*c.scale, scaling_kinds()), c.data.string(), least, most));
  }
}

std::string RunData::description() const {
  return fmt::format("{}: {} + {} samples of {} {} pixels, {} classes", info.name, info.train_count,
                     info.test_count, info.features,
                     info.pixel_type == PixelType::kUint8 ? "uint8" : "float32", info.classes);
}

}  // namespace sae
