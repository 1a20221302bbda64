#include "model_attributes.hpp"

#include <fmt/format.h>

#include <vector>

#include "sae/core/error.hpp"

namespace sae {
namespace {

/// The value of that name, which an attribute of /model has.
template <typename Kind>
Kind kind_of(const Hdf5File& file, const char* attribute, const std::string& name,
             const Choices<Kind>& kinds) {
  if (const auto kind = find_value(name, kinds)) return *kind;
  throw DataError(fmt::format("The model of {} has {} '{}', which this program does not know.",
                              file.path().string(), attribute, name));
}

template <typename Kind>
Kind read_kind(const Hdf5File& file, const char* attribute, const Choices<Kind>& kinds) {
  return kind_of(file, attribute, file.read_string("/model", attribute), kinds);
}

template <typename Kind>
void write_kind(Hdf5File& file, const char* attribute, Kind kind, const Choices<Kind>& kinds) {
  file.write_string("/model", attribute, name_of(kind, kinds));
}

}  // namespace

void check_exists(const Hdf5File& file, const std::string& name) {
  if (file.exists(name)) return;
  throw DataError(fmt::format("The checkpoint {} has no {}.", file.path().string(), name));
}

void check_finite(const Hdf5File& file, const std::string& name, bool all_finite) {
  if (all_finite) return;
  throw DataError(fmt::format("{} of the checkpoint {} holds a value that is not finite.", name,
                              file.path().string()));
}

void write_network(Hdf5File& file, const Topology& topology) {
  std::vector<std::string> activations;
  for (const LayerSpec& layer : topology.hidden) {
    activations.push_back(name_of(layer.activation, activation_kinds()));
  }
  file.write_string("/model", "activation", joined(activations));
  write_kind(file, "visible", topology.visible, visible_kinds());
  write_kind(file, "decoder", topology.decoder, decoder_kinds());
  write_kind(file, "normalization", topology.normalization, normalization_kinds());
  file.write_integer("/model", "lateral", topology.lateral ? 1 : 0);
}

void read_network(const Hdf5File& file, Topology& topology) {
  auto activations = words_of(file.read_string("/model", "activation"));
  const std::size_t layers = topology.hidden.size();
  if (activations.size() == 1) activations.resize(layers, activations[0]);
  if (activations.size() != layers) {
    throw DataError(fmt::format("The model of {} has {} activations for {} hidden layers.",
                                file.path().string(), activations.size(), layers));
  }
  for (std::size_t i = 0; i < layers; ++i) {
    topology.hidden[i].activation = kind_of(file, "activation", activations[i], activation_kinds());
  }
  topology.visible = read_kind(file, "visible", visible_kinds());
  topology.decoder = read_kind(file, "decoder", decoder_kinds());
  if (!file.has_attribute("/model", "normalization")) return;  // Older: none.
  topology.normalization = read_kind(file, "normalization", normalization_kinds());
  topology.lateral = file.read_integer("/model", "lateral") != 0;
}

void write_data(Hdf5File& file, const DataSpec& data) {
  const Scaling& scaling = data.scaling;
  file.write_string("/model", "input_type", name_of(data.type));
  write_kind(file, "scale", scaling.kind, scaling_kinds());
  const auto write = [&file](const char* name, const std::vector<Index>& shape,
                             const auto& values) {
    file.write<float>(name, shape, {values.data(), static_cast<std::size_t>(values.size())});
  };
  // A feature per row, as arrays of the model have an output per row.
  const std::vector<Index> rows = {scaling.values.cols(), scaling.values.rows()};
  if (scaling.offset.size() > 0) {
    write("/scaling/offset", {scaling.offset.size()}, scaling.offset);
    write("/scaling/factor", {scaling.factor.size()}, scaling.factor);
  }
  if (scaling.values.size() > 0) {
    write("/scaling/values", rows, scaling.values);
    write("/scaling/normal", rows, scaling.normal);
  }
  if (!data.feature_names.empty()) file.write_strings("/feature_names", data.feature_names);
  if (!data.class_names.empty()) file.write_strings("/class_names", data.class_names);
}

namespace {

/// An array of scaling with a row for each of the model's inputs; shape (columns, inputs) in
/// memory.
Matrix<float> read_scaling(const Hdf5File& file, const std::string& name, Index inputs,
                           std::size_t dimensions) {
  const std::string path = file.path().string();
  check_exists(file, name);
  const std::vector<Index> shape = file.shape(name);
  if (shape.size() != dimensions || shape[0] != inputs || shape.back() < 1) {
    throw DataError(
        fmt::format("{} of the checkpoint {} has shape ({}), but the model has {} "
                    "inputs.",
                    name, path, fmt::join(shape, ", "), inputs));
  }
  Matrix<float> values(dimensions == 1 ? 1 : shape[1], inputs);
  file.read_rows<float>(name, {0, inputs},
                        {values.data(), static_cast<std::size_t>(values.size())});
  check_finite(file, name, values.allFinite());
  return values;
}

}  // namespace

DataSpec read_data(const Hdf5File& file, Index inputs) {
  DataSpec data;
  if (!file.has_attribute("/model", "scale")) return data;  // Older: bytes or values within [0, 1].
  const std::string type = file.read_string("/model", "input_type");
  data.type = type == name_of(PixelType::kFloat32) ? PixelType::kFloat32 : PixelType::kUint8;
  Scaling& scaling = data.scaling;
  scaling.kind = read_kind(file, "scale", scaling_kinds());
  const auto read = [&](const char* name, std::size_t dimensions) {
    return read_scaling(file, name, inputs, dimensions);
  };
  if (scaling.kind == ScalingKind::kRankGauss) {
    scaling.values = read("/scaling/values", 2);
    scaling.normal = read("/scaling/normal", 2);
    if (scaling.values.rows() != scaling.normal.rows()) {
      throw DataError(
          fmt::format("The arrays of /scaling of the checkpoint {} have different "
                      "shapes.",
                      file.path().string()));
    }
  } else if (scaling.is_used()) {
    scaling.offset = read("/scaling/offset", 1).transpose();
    scaling.factor = read("/scaling/factor", 1).transpose();
  }
  if (file.exists("/feature_names")) data.feature_names = file.read_strings("/feature_names");
  if (file.exists("/class_names")) data.class_names = file.read_strings("/class_names");
  return data;
}

}  // namespace sae
