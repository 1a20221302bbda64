#include "sae/data/training_sets.hpp"

#include <fmt/format.h>

#include <numeric>
#include <span>
#include <vector>

#include "sae/core/error.hpp"

namespace sae {
namespace {

/// Rank 0's mask, on every rank. Collective.
SampleMask shared(SampleMask mask, Index samples, Communicator& comm) {
  if (!comm.is_root()) mask = SampleMask(samples);
  comm.broadcast(std::as_writable_bytes(mask.words()), 0);
  return mask;
}

/// Samples of each class that `take` wants; the last are those without a label.
template <typename Take>
std::vector<Index> count_classes(const DistributedDataset& dataset, const Take& take) {
  std::vector<Index> counts(static_cast<std::size_t>(dataset.info().classes) + 1);
  dataset.for_each_label([&](Index sample, Index label) {
    if (take(sample)) ++(label < 0 ? counts.back() : counts[static_cast<std::size_t>(label)]);
  });
  return counts;
}

/// Draws so many of each class of what `take` wants.
template <typename Take>
SampleMask draw(const DistributedDataset& dataset, StratifiedDraw drawing, std::size_t classes,
                const Take& take) {
  SampleMask mask(dataset.info().train_count);
  dataset.for_each_label([&](Index sample, Index label) {
    const std::size_t of_class = label < 0 ? classes - 1 : static_cast<std::size_t>(label);
    if (take(sample) && drawing.draw(sample, of_class)) mask.set(sample);
  });
  return mask;
}

SampleMask draw_validation(const SetSettings& settings, const DistributedDataset& dataset) {
  const auto all = [](Index) { return true; };
  const std::vector<Index> counts = count_classes(dataset, all);
  return draw(dataset,
              {settings.seed, RandomPurpose::kValidationSet, counts,
               proportional_quotas(counts, settings.validation_size)},
              counts.size(), all);
}

/// Empty if the labels of all training samples are used.
SampleMask draw_labelled(const SetSettings& settings, const DistributedDataset& dataset,
                         const SampleSet& training) {
  const auto is_trained = [&](Index sample) { return training.contains(sample); };
  std::vector<Index> counts = count_classes(dataset, is_trained);
  counts.back() = 0;
  const Index labelled = std::accumulate(counts.begin(), counts.end(), Index{0});
  const Index wanted = settings.labelled.value_or(labelled);
  if (wanted > labelled) {
    throw DataError(
        fmt::format("--labelled {} asks for more labels than the {} training samples of "
                    "{} have: {}.",
                    wanted, training.size(), dataset.info().name, labelled));
  }
  if (wanted == training.size()) return {};
  return draw(dataset,
              {settings.seed, RandomPurpose::kLabelledSet, counts, balanced_quotas(counts, wanted)},
              counts.size(), is_trained);
}

}  // namespace

TrainingSets choose_training_sets(const SetSettings& settings, const DistributedDataset& dataset,
                                  Communicator& comm) {
  const Index samples = dataset.info().train_count;
  TrainingSets sets{.training = {Split::kTrain, {settings.validation_size, samples}},
                    .validation = {Split::kTrain, {0, settings.validation_size}},
                    .labelled = {}};
  if (settings.validation == ValidationChoice::kRandom && settings.validation_size > 0) {
    SampleMask mask;
    if (comm.is_root()) mask = draw_validation(settings, dataset);
    mask = shared(std::move(mask), samples, comm);
    sets.training = {Split::kTrain, mask, false};
    sets.validation = {Split::kTrain, mask, true};
  }
  if (!dataset.info().has_train_labels) return sets;
  SampleMask mask;
  if (comm.is_root()) mask = draw_labelled(settings, dataset, sets.training);
  if (comm.any(mask.samples() > 0)) {
    sets.labelled.emplace(Split::kTrain, shared(std::move(mask), samples, comm), true);
  }
  return sets;
}

}  // namespace sae
