#include "sae/apply/inference_file.hpp"

#include <fmt/format.h>

#include <span>
#include <vector>

namespace sae {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kPredicted = "/predictions/label";
constexpr const char* kLabels = "/labels";
constexpr const char* kSamples = "/samples";
constexpr const char* kFeatureErrors = "/feature_errors";
constexpr const char* kAnomalies = "/anomalies";

std::string values_of(Inference kind) {
  return kind == Inference::kPredictions ? "/predictions/probability"
                                         : fmt::format("/{}", name_of(kind));
}

}  // namespace

InferenceFile::InferenceFile(const std::filesystem::path& path, const InferenceSettings& settings,
                             const InferenceOrigin& origin)
    : output_file_(path),
      file_(Hdf5File::create(output_file_.temporary_path())),
      settings_(settings) {
  const DatasetInfo& dataset = origin.dataset;
  file_.write_string("/", "format", fmt::format("sae-{}", name_of(settings.kind)));
  file_.write_integer("/", "version", kVersion);
  file_.write_string("/", "model", origin.model);
  file_.write_string("/", "topology", to_string(origin.topology));
  file_.write_string("/", "dataset", dataset.name);
  file_.write_string("/", "split", name_of(settings.samples.split()));
  if (settings.samples.is_range()) {
    file_.write_integer("/", "first_sample", settings.samples.sample_at(0));
  }
  if (settings.kind != Inference::kPredictions) {
    file_.write_integer("/", "layer", settings.layers);
  }
  const Index count = settings.samples.size();
  std::vector<Index> shape = {count, outputs_of(settings, origin.topology)};
  if (settings.kind == Inference::kReconstructions && dataset.height > 0) {
    shape = {count, dataset.height, dataset.width};
  }
  if (settings.kind == Inference::kScores) shape = {count};
  file_.create_dataset(values_of(settings.kind), ElementType::kFloat32, {.shape = shape});
  if (!settings.samples.is_range()) {
    file_.create_dataset(kSamples, ElementType::kInt64, {.shape = {count}});
  }
  if (settings.per_feature) {
    file_.create_dataset(kFeatureErrors, ElementType::kFloat32,
                         {.shape = {count, origin.topology.inputs}});
    if (!origin.data.feature_names.empty()) {
      file_.write_strings("/feature_names", origin.data.feature_names);
    }
  }
  if (settings.threshold) {
    file_.write_real("/", "threshold", static_cast<double>(*settings.threshold));
    file_.create_dataset(kAnomalies, ElementType::kUint8, {.shape = {count}});
  }
  if (settings.kind == Inference::kPredictions && !origin.data.class_names.empty()) {
    file_.write_strings("/class_names", origin.data.class_names);
  }
  if (settings.kind == Inference::kPredictions) {
    file_.create_dataset(kPredicted, ElementType::kUint16, {.shape = {count}});
  }
  if (dataset.has_labels(settings.samples.split())) {
    file_.create_dataset(kLabels, ElementType::kUint16, {.shape = {count}});
  }
}

void InferenceFile::append(const InferenceBlock& block) {
  const Index row = block.positions.begin;
  const auto write = [&](const std::string& name, const Matrix<float>& values) {
    file_.write_rows(name, row, std::span(values.data(), static_cast<std::size_t>(values.size())));
  };
  if (settings_.kind == Inference::kScores) {
    write(values_of(settings_.kind), block.values.row(0));
    if (settings_.per_feature)
      write(kFeatureErrors, block.values.bottomRows(block.values.rows() - 1));
  } else {
    write(values_of(settings_.kind), block.values);
  }
  if (!settings_.samples.is_range()) {
    std::vector<std::int64_t> samples;
    for (Index position = row; position < block.positions.end; ++position) {
      samples.push_back(settings_.samples.sample_at(position));
    }
    file_.write_rows(kSamples, row, std::span<const std::int64_t>(samples));
  }
  if (settings_.threshold) {
    std::vector<std::uint8_t> anomalies;
    for (const float score : block.values.row(0)) {
      anomalies.push_back(score > *settings_.threshold ? 1 : 0);
    }
    file_.write_rows(kAnomalies, row, std::span<const std::uint8_t>(anomalies));
  }
  const auto append_labels = [&](const char* name, std::span<const std::uint16_t> labels) {
    if (!labels.empty()) file_.write_rows(name, row, labels);
  };
  append_labels(kPredicted, block.predicted);
  append_labels(kLabels, block.labels);
}

void InferenceFile::finish() {
  file_.close();
  output_file_.commit();
}

}  // namespace sae
