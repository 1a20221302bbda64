// A report that is made from what a run's folder holds.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <system_error>
#include <utility>

#include "report_page.hpp"
#include "sae/comm/self_communicator.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/data/training_sets.hpp"
#include "sae/monitor/run_report.hpp"
#include "sae/run/checkpoint_store.hpp"

namespace sae {
namespace {

/// The model to show, and the checkpoint that it is of.
Checkpoint newest_model(const RunFolder& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder.model(), ignored)) return load_checkpoint(folder.model());
  auto found = find_newest_checkpoint(folder);
  if (!found) {
    throw MissingInputError(fmt::format("There is no model yet in {}.", folder.path().string()));
  }
  return std::move(found->checkpoint);
}

/// Some samples of a set, by their positions.
Minibatch<float> read_samples(DistributedDataset& dataset, const SampleSet& set, Range positions) {
  const Shard shard = dataset.load_shard(set, positions);
  Minibatch<float> result;
  result.inputs = decode_pixels(shard.format(), shard.records(shard.samples()));
  result.samples.resize(static_cast<std::size_t>(positions.size()));
  std::iota(result.samples.begin(), result.samples.end(), 0u);
  return result;
}

/// The pictures of a report that is made from files.
/// Throws: Error of many kinds, if a file is missing or damaged.
ReportPictures pictures_from_files(const RunFolder& folder, const RunRecord& record,
                                   const std::filesystem::path& data) {
  const Checkpoint checkpoint = newest_model(folder);
  SelfCommunicator alone;
  DistributedDataset dataset(data, DataAccess::kScatter, alone);
  const DatasetInfo& info = dataset.info();
  if (info.features != checkpoint.topology.inputs) {
    throw DataError(fmt::format("The model takes {} pixels, the data set {} has {}.",
                                checkpoint.topology.inputs, data.string(), info.features));
  }
  constexpr Index kShown = 10;
  RunSummary summary{.topology = checkpoint.topology,
                     .dataset = info,
                     .shows_pixels = !checkpoint.data.scaling.is_used() &&
                                     checkpoint.topology.visible == Visible::kBernoulli,
                     .stages = record.stages,
                     .pretraining = record.pretraining,
                     .live_parameters = span_of(checkpoint.parameters)};
  // The first validation samples, or training samples if there are none.
  const Configuration configuration = recorded_configuration(checkpoint.config);
  const TrainingSets sets = choose_training_sets(set_settings(configuration), dataset, alone);
  const SampleSet& previewed = sets.validation.size() > 0 ? sets.validation : sets.training;
  summary.preview = read_samples(dataset, previewed, {0, std::min(kShown, previewed.size())});
  if (configuration.distortion.is_used()) {
    summary.distorted = Distorter(configuration.distortion, info.height, info.width)
                            .preview(configuration.seed, summary.preview.inputs);
  }
  ModelPictures shown;
  shown.run_begins(summary);
  if (!shown.can_show()) {
    throw DataError(fmt::format("the samples of {} are no images, or too large.", data.string()));
  }
  shown.epoch_done({.stage = checkpoint.stage_name(), .epoch = checkpoint.state.progress.epoch});
  ReportPictures pictures = report_pictures(shown, record);
  if (record.models.empty()) return pictures;
  ModelResult chosen = record.models.back();
  const Split split = chosen.test ? Split::kTest : Split::kTrain;
  for (HardSample& hard : chosen.hardest) {
    const SampleSet whole(split, {0, info.count(split)});
    const auto sample = read_samples(dataset, whole, {hard.sample, hard.sample + 1});
    hard.pixels.assign(sample.inputs.data(), sample.inputs.data() + sample.inputs.size());
  }
  pictures.hardest = hardest_pictures(chosen, shown.shape());
  return pictures;
}

}  // namespace

std::string write_report(const RunFolder& folder, const std::filesystem::path& data) {
  Report report{.run = folder.path().string(), .record = read_run_record(folder)};
  try {
    report.pictures = pictures_from_files(
        folder, report.record, data.empty() ? std::filesystem::path(report.record.data) : data);
  } catch (const Error& error) {
    report.pictures.missing = fmt::format("There are no pictures: {}", error.what());
  }
  publish_report(folder, report);
  return report.pictures.missing;
}

}  // namespace sae
