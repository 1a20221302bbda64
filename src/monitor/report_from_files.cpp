// A report that is made from what a run's folder holds.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "report_file.hpp"
#include "report_pictures.hpp"
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
  const ParameterLayout layout(checkpoint.topology);
  const auto parameters = span_of(checkpoint.parameters);
  const DatasetFile file(data);
  const auto shape = picture_shape(file.info());
  if (!shape) throw DataError(fmt::format("The samples of {} are too large.", data.string()));
  if (file.info().features != checkpoint.topology.inputs) {
    throw DataError(fmt::format("The model takes {} pixels, the data set {} has {}.",
                                checkpoint.topology.inputs, data.string(), file.info().features));
  }
  const ModelState model{
      layout, parameters, checkpoint.stage_name(), checkpoint.state.progress.epoch,
      layer_of(record, checkpoint.stage_name(), layout.topology().hidden_layers())};
  constexpr Index kShown = 10;
  // The first validation samples, or training samples if there are none.
  auto pictures = model_pictures(
      record, model,
      read_samples(file, Split::kTrain, {0, std::min(kShown, file.info().train_count)}), *shape);
  if (record.models.empty()) return pictures;
  ModelResult chosen = record.models.back();
  const Split split = chosen.test ? Split::kTest : Split::kTrain;
  for (HardSample& hard : chosen.hardest) {
    const auto sample = read_samples(file, split, {hard.sample, hard.sample + 1});
    hard.pixels.assign(sample.inputs.data(), sample.inputs.data() + sample.inputs.size());
  }
  pictures.hardest = hardest_pictures(chosen, *shape);
  return pictures;
}

}  // namespace

std::string write_report(const RunFolder& folder, const std::filesystem::path& data) {
  const auto configuration = text_of(folder.config());
  if (!configuration) {
    throw MissingInputError(fmt::format("{} cannot be read: {} is not the folder of a run.",
                                        folder.config().string(), folder.path().string()));
  }
  const auto metrics = text_of(folder.metrics());
  const auto journal = text_of(folder.journal());
  Report report{
      .run = folder.path().string(),
      .live = false,
      .record = parse_run_record(*configuration, metrics.value_or(""), journal.value_or("")),
      .pictures = {}};
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
