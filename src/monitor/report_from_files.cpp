// A report that is made from what a run's folder holds.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "report_page.hpp"
#include "sae/core/error.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/monitor/run_report.hpp"
#include "sae/run/checkpoint_store.hpp"

namespace sae {
namespace {

std::optional<std::string> text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

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

Minibatch<float> read_samples(const DatasetFile& file, Split split, Range samples) {
  const RecordFormat format{file.info().features, file.info().pixel_type};
  std::vector<std::byte> bytes(format.pixel_bytes() * static_cast<std::size_t>(samples.size()));
  file.read_images(split, samples, bytes);
  Minibatch<float> result;
  result.inputs.resize(format.features, samples.size());
  for (Index i = 0; i < samples.size(); ++i) {
    decode_pixels(format,
                  std::span(bytes).subspan(static_cast<std::size_t>(i) * format.pixel_bytes(),
                                           format.pixel_bytes()),
                  {result.inputs.col(i).data(), static_cast<std::size_t>(format.features)});
    result.samples.push_back(static_cast<std::uint32_t>(i));
  }
  return result;
}

/// The pictures of a report that is made from files.
/// Throws: Error of many kinds, if a file is missing or damaged.
ReportPictures pictures_from_files(const RunFolder& folder, const RunRecord& record,
                                   const std::filesystem::path& data) {
  const Checkpoint checkpoint = newest_model(folder);
  const DatasetFile file(data);
  if (file.info().features != checkpoint.topology.inputs) {
    throw DataError(fmt::format("The model takes {} pixels, the data set {} has {}.",
                                checkpoint.topology.inputs, data.string(), file.info().features));
  }
  constexpr Index kShown = 10;
  RunSummary summary{.topology = checkpoint.topology,
                     .dataset = file.info(),
                     .shows_pixels = !checkpoint.data.scaling.is_used() &&
                                     checkpoint.topology.visible == Visible::kBernoulli,
                     .stages = record.stages,
                     .pretraining = record.pretraining,
                     .live_parameters = span_of(checkpoint.parameters)};
  // The first validation samples, or training samples if there are none.
  summary.preview =
      read_samples(file, Split::kTrain, {0, std::min(kShown, file.info().train_count)});
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
    const auto sample = read_samples(file, split, {hard.sample, hard.sample + 1});
    hard.pixels.assign(sample.inputs.data(), sample.inputs.data() + sample.inputs.size());
  }
  pictures.hardest = hardest_pictures(chosen, shown.shape());
  return pictures;
}

}  // namespace

std::string write_report(const RunFolder& folder, const std::filesystem::path& data) {
  const auto configuration = text_of(folder.config());
  if (!configuration) {
    throw MissingInputError(fmt::format("{} cannot be read: {} is not the folder of a run.",
                                        folder.config().string(), folder.path().string()));
  }
  Report report{.run = folder.path().string()};
  report.record.read_configuration(*configuration);
  report.record.read_metrics(text_of(folder.metrics()).value_or(""));
  report.record.read_journal(text_of(folder.journal()).value_or(""));
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
