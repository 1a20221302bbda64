#include "sae/run/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "model_attributes.hpp"
#include "sae/core/error.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/output_file.hpp"
#include "sae/storage/sealed_file.hpp"

namespace sae {
namespace {

constexpr const char* kFormat = "sae-checkpoint";
constexpr Index kVersion = 2;  // 1 had neither names of slots nor kinds of network.
constexpr const char* kSlotsAttribute = "optimizer_slots";  // Their names, comma-separated.

/// Shape in the file: a column-major matrix (rows, cols) is (cols, rows) in HDF5's row-major order.
std::vector<Index> stored_shape(const ParameterView& view) {
  return view.is_weights || view.cols > 1 ? std::vector<Index>{view.cols, view.rows}
                                          : std::vector<Index>{view.rows};
}

/// (inputs, outputs) of the weights of one layer.
std::vector<Index> weights_shape(const Hdf5File& file, const std::string& layer) {
  const std::string name = "/model/" + layer + "/weights";
  check_exists(file, name);
  auto shape = file.shape(name);
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
    throw DataError(fmt::format("{} of the checkpoint {} is not a matrix (inputs, outputs).", name,
                                file.path().string()));
  }
  return shape;
}

Topology stored_topology(const Hdf5File& file) {
  Topology topology;
  // Sizes that match are those of arrays in the file, so they are safe to allocate.
  const auto check_inputs = [&](const std::string& layer, Index inputs) {
    if (inputs != topology.hidden.back().units) {
      throw DataError(fmt::format("The layer {} of the checkpoint {} has {} inputs, not {}.", layer,
                                  file.path().string(), inputs, topology.hidden.back().units));
    }
  };
  for (int i = 1; i == 1 || file.exists(fmt::format("/model/hidden{}", i)); ++i) {
    const std::string layer = fmt::format("hidden{}", i);
    const auto shape = weights_shape(file, layer);
    if (i == 1) {
      topology.inputs = shape[0];
    } else {
      check_inputs(layer, shape[0]);
    }
    topology.hidden.emplace_back(shape[1]);
  }
  if (!file.exists("/model/output")) return topology;
  const auto shape = weights_shape(file, "output");
  check_inputs("output", shape[0]);
  topology.classes = shape[1];
  return topology;
}

void check_array(const Hdf5File& file, const std::string& name, const ParameterView& view) {
  const std::string path = file.path().string();
  check_exists(file, name);
  if (file.shape(name) != stored_shape(view)) {
    throw DataError(fmt::format("{} of the checkpoint {} has shape ({}), not ({}).", name, path,
                                fmt::join(file.shape(name), ", "),
                                fmt::join(stored_shape(view), ", ")));
  }
}

void read_array(const Hdf5File& file, const std::string& name, const ParameterView& view,
                Vector<float>& vector) {
  check_array(file, name, view);
  file.read_rows<float>(name, {0, stored_shape(view)[0]},
                        {vector.data() + view.offset, static_cast<std::size_t>(view.size())});
  check_finite(file, name, view_of(vector, view).allFinite());
}

Vector<float> read_vector(const Hdf5File& file, const std::string& group,
                          const ParameterLayout& layout) {
  Vector<float> result = Vector<float>::Zero(layout.size());
  for (const ParameterView& view : layout.views()) {
    read_array(file, group + view.name, view, result);
  }
  return result;
}

void write_vector(Hdf5File& file, const std::string& group, const ParameterLayout& layout,
                  const Vector<float>& vector) {
  for (const ParameterView& view : layout.views()) {
    file.write<float>(group + view.name, stored_shape(view),
                      {vector.data() + view.offset, static_cast<std::size_t>(view.size())});
  }
}

/// Reads version 1, which had one slot without a group of its own.
std::vector<Checkpoint::Slot> read_velocity(const Hdf5File& file, const ParameterLayout& layout) {
  if (!file.exists("/optimizer")) return {};
  return {{"velocity", read_vector(file, "/optimizer/", layout)}};
}

std::vector<Checkpoint::Slot> read_slots(const Hdf5File& file, const ParameterLayout& layout) {
  std::vector<Checkpoint::Slot> slots;
  std::istringstream names(file.read_string("/", kSlotsAttribute));
  for (std::string name; std::getline(names, name, ',');) {
    slots.push_back({name, read_vector(file, "/optimizer/" + name + "/", layout)});
  }
  return slots;
}

Index read_version(const Hdf5File& file) {
  const std::string path = file.path().string();
  const std::string format =
      file.has_attribute("/", "format") ? file.read_string("/", "format") : std::string();
  if (format != kFormat) {
    throw DataError(fmt::format("{} is not a checkpoint: its attribute 'format' is '{}', not '{}'.",
                                path, format, kFormat));
  }
  const Index version = file.read_integer("/", "version");
  if (version < 1 || version > kVersion) {
    throw DataError(fmt::format(
        "The checkpoint {} has format version {}; this program reads versions up to {}.", path,
        version, kVersion));
  }
  return version;
}

std::string read_history(const Hdf5File& file) {
  if (!file.exists("/history/metrics")) return {};
  const auto shape = file.shape("/history/metrics");
  if (shape.size() != 1) {
    throw DataError(
        fmt::format("/history/metrics of the checkpoint {} is not a text.", file.path().string()));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(shape[0]));
  file.read_rows<std::uint8_t>("/history/metrics", {0, shape[0]}, bytes);
  return {bytes.begin(), bytes.end()};
}

void write_state(Hdf5File& file, const RunState& state, Index hidden_layers) {
  file.write_string("/", "stage", stage_name(state.progress.stage, hidden_layers));
  file.write_integer("/", "epoch", state.progress.epoch);
  file.write_integer("/", "step_in_epoch", state.progress.step_in_epoch);
  file.write_integer("/", "step", state.progress.step);
  file.write_integer("/", "finished", state.progress.finished ? 1 : 0);
  file.write_integer("/", "divergences", state.divergences);
  file.write_real("/", "epoch_loss", state.epoch_sums.loss);
  file.write_real("/", "epoch_errors", state.epoch_sums.errors);
  file.write_real("/", "epoch_samples", state.epoch_sums.samples);
  file.write_real("/", "start_loss", state.start_loss);
  if (state.data_digest) {
    file.write_integer("/", "data_digest", static_cast<std::int64_t>(*state.data_digest));
  }
  if (!state.best) return;
  file.write_real("/", "best_figure", state.best->figure);
  file.write_integer("/", "best_epoch", state.best->epoch);
  file.write_integer("/", "best_reached", state.best->reached);
  file.write_integer("/", "best_step", state.best->step);
}

Index read_stage(const Hdf5File& file, Index hidden_layers) {
  const std::string name = file.read_string("/", "stage");
  for (Index stage = 0; stage <= hidden_layers; ++stage) {
    if (name == stage_name(stage, hidden_layers)) return stage;
  }
  throw DataError(fmt::format("The checkpoint {} is of stage '{}', which its model does not have.",
                              file.path().string(), name));
}

RunState read_state(const Hdf5File& file, Index hidden_layers) {
  RunState state;
  state.progress = {.stage = read_stage(file, hidden_layers),
                    .epoch = file.read_integer("/", "epoch"),
                    .step_in_epoch = file.read_integer("/", "step_in_epoch"),
                    .step = file.read_integer("/", "step"),
                    .finished = file.read_integer("/", "finished") != 0};
  state.divergences = file.read_integer("/", "divergences");
  state.epoch_sums = {.loss = file.read_real("/", "epoch_loss"),
                      .errors = file.read_real("/", "epoch_errors"),
                      .samples = file.read_real("/", "epoch_samples")};
  if (file.has_attribute("/", "start_loss")) state.start_loss = file.read_real("/", "start_loss");
  if (file.has_attribute("/", "data_digest")) {
    state.data_digest = static_cast<std::uint64_t>(file.read_integer("/", "data_digest"));
  }
  if (file.has_attribute("/", "best_step")) {
    const bool is_new = file.has_attribute("/", "best_figure");
    state.best =
        BestEpoch{.figure = file.read_real("/", is_new ? "best_figure" : "best_errors"),
                  .epoch = file.read_integer("/", "best_epoch"),
                  .reached = file.read_integer("/", is_new ? "best_reached" : "best_epoch"),
                  .step = file.read_integer("/", "best_step")};
  }
  return state;
}

}  // namespace

std::string stage_name(Index stage, Index hidden_layers) {
  return stage < hidden_layers ? fmt::format("pretrain{}", stage + 1) : "finetune";
}

std::string describe_slots(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const Checkpoint::Slot& slot : checkpoint.slots) names.push_back(slot.name);
  return names.empty() ? "no optimizer state" : fmt::format("{}", fmt::join(names, ", "));
}

void compose_checkpoint(const std::filesystem::path& path, const Checkpoint& c, FileImage& image) {
  auto file = Hdf5File::create_image(image, path, kSealBytes);
  file.write_string("/", "format", kFormat);
  file.write_integer("/", "version", kVersion);
  file.write_string("/", "config", c.config);
  file.write_string("/", "dataset", c.dataset);
  file.write_integer("/", "seed", static_cast<std::int64_t>(c.seed));
  write_state(file, c.state, c.topology.hidden_layers());
  const ParameterLayout layout(c.topology);
  write_vector(file, "/model/", layout, c.parameters);
  write_network(file, c.topology);
  write_data(file, c.data);
  std::vector<std::string> names;
  for (const Checkpoint::Slot& slot : c.slots) {
    write_vector(file, "/optimizer/" + slot.name + "/", layout, slot.values);
    names.push_back(slot.name);
  }
  file.write_string("/", kSlotsAttribute, fmt::format("{}", fmt::join(names, ",")));
  if (!c.history.empty()) {
    file.write<std::uint8_t>(
        "/history/metrics", {static_cast<Index>(c.history.size())},
        {reinterpret_cast<const std::uint8_t*>(c.history.data()), c.history.size()});
  }
  file.close();
  seal_image(image);
}

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                     FileImage& image, const std::function<void()>& before_rename) {
  if (!checkpoint.parameters.allFinite()) {
    throw OutputError(
        fmt::format("Weights that are not finite are not saved to {}.", path.string()));
  }
  OutputFile file(path);
  compose_checkpoint(path, checkpoint, image);
  image.write_to(file.temporary_path());
  file.sync_file();
  check_written(file.temporary_path(), image);
  if (before_rename) before_rename();
  file.rename_into_place();
  file.sync_folder();
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  check_seal(path);
  const auto file = Hdf5File::open(path);
  const Index version = read_version(file);
  Checkpoint c;
  c.config = file.read_string("/", "config");
  c.dataset = file.read_string("/", "dataset");
  c.seed = static_cast<std::uint64_t>(file.read_integer("/", "seed"));
  c.history = read_history(file);
  c.topology = stored_topology(file);
  if (version > 1) read_network(file, c.topology);
  c.data = read_data(file, c.topology.inputs);
  c.state = read_state(file, c.topology.hidden_layers());
  const ParameterLayout layout(c.topology);
  c.parameters = read_vector(file, "/model/", layout);
  c.slots = version == 1 ? read_velocity(file, layout) : read_slots(file, layout);
  return c;
}

}  // namespace sae
