#include "sae/apply/inference_file.hpp"

#include <fmt/format.h>

#include <span>
#include <vector>

namespace sae {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kPredicted = "/predictions/label";
constexpr const char* kLabels = "/labels";

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
  file_.write_string("/", "split", name_of(settings.split));
  file_.write_integer("/", "first_sample", settings.samples.begin);
  if (settings.kind != Inference::kPredictions) {
    file_.write_integer("/", "layer", settings.layers);
  }
  const Index count = settings.samples.size();
  std::vector<Index> shape = {count, outputs_of(settings, origin.topology)};
  if (settings.kind == Inference::kReconstructions && dataset.height > 0) {
    shape = {count, dataset.height, dataset.width};
  }
  file_.create_dataset(values_of(settings.kind), ElementType::kFloat32, {.shape = shape});
  if (settings.kind == Inference::kPredictions) {
    file_.create_dataset(kPredicted, ElementType::kUint16, {.shape = {count}});
  }
  if (dataset.has_labels(settings.split)) {
    file_.create_dataset(kLabels, ElementType::kUint16, {.shape = {count}});
  }
}

void InferenceFile::append(const InferenceBlock& block) {
  const Index row = block.samples.begin - settings_.samples.begin;
  const std::span values(block.values.data(), static_cast<std::size_t>(block.values.size()));
  file_.write_rows(values_of(settings_.kind), row, values);
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
