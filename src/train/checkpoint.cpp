#include "sae/train/checkpoint.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/storage/atomic_file.hpp"
#include "sae/storage/hdf5_file.hpp"

namespace sae {
namespace {

constexpr const char* kFormat = "sae-checkpoint";
constexpr Index kVersion = 1;

/// Shape in the file. A matrix (rows, cols) in columns is (cols, rows) in HDF5's rows.
std::vector<Index> stored_shape(const ParameterView& view) {
  return view.is_weights ? std::vector<Index>{view.cols, view.rows} : std::vector<Index>{view.rows};
}

/// (inputs, outputs) of the weights of one layer.
std::vector<Index> weights_shape(const Hdf5File& file, const std::string& layer) {
  const std::string name = "/model/" + layer + "/weights";
  if (!file.exists(name)) {
    throw DataError(fmt::format("The checkpoint {} has no {}.", file.path().string(), name));
  }
  auto shape = file.shape(name);
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
    throw DataError(fmt::format("{} of the checkpoint {} is not a matrix (inputs, outputs).", name,
                                file.path().string()));
  }
  return shape;
}

Topology stored_topology(const Hdf5File& file) {
  Topology topology;
  for (int i = 1; i == 1 || file.exists(fmt::format("/model/hidden{}", i)); ++i) {
    const auto shape = weights_shape(file, fmt::format("hidden{}", i));
    if (i == 1) topology.inputs = shape[0];
    topology.hidden.push_back(shape[1]);
  }
  topology.classes = weights_shape(file, "output")[1];
  return topology;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  AtomicFile atomic_file(path);
  auto file = Hdf5File::create(atomic_file.temporary_path());
  file.write_string("/", "format", kFormat);
  file.write_integer("/", "version", kVersion);
  file.write_string("/", "config", checkpoint.config);
  file.write_integer("/", "seed", static_cast<std::int64_t>(checkpoint.seed));
  file.write_string("/", "stage", checkpoint.progress.stage);
  file.write_integer("/", "epoch", checkpoint.progress.epoch);
  file.write_integer("/", "step", checkpoint.progress.step);
  file.write_integer("/", "finished", checkpoint.progress.finished ? 1 : 0);
  const ParameterLayout layout(checkpoint.topology);
  for (const ParameterView& view : layout.views()) {
    file.write<float>(
        "/model/" + view.name, stored_shape(view),
        {checkpoint.parameters.data() + view.offset, static_cast<std::size_t>(view.size())});
  }
  file.close();
  atomic_file.commit();
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  const auto file = Hdf5File::open(path);
  const std::string format =
      file.has_attribute("/", "format") ? file.read_string("/", "format") : std::string();
  if (format != kFormat) {
    throw DataError(fmt::format("{} is not a checkpoint: its attribute 'format' is '{}', not '{}'.",
                                path.string(), format, kFormat));
  }
  const Index version = file.read_integer("/", "version");
  if (version < 1 || version > kVersion) {
    throw DataError(
        fmt::format("The checkpoint {} has format version {}; this program reads version {}.",
                    path.string(), version, kVersion));
  }
  Checkpoint checkpoint;
  checkpoint.config = file.read_string("/", "config");
  checkpoint.seed = static_cast<std::uint64_t>(file.read_integer("/", "seed"));
  checkpoint.progress = {.stage = file.read_string("/", "stage"),
                         .epoch = file.read_integer("/", "epoch"),
                         .step = file.read_integer("/", "step"),
                         .finished = file.read_integer("/", "finished") != 0};
  checkpoint.topology = stored_topology(file);
  const ParameterLayout layout(checkpoint.topology);
  checkpoint.parameters = Vector<float>::Zero(layout.size());
  for (const ParameterView& view : layout.views()) {
    const std::string name = "/model/" + view.name;
    if (!file.exists(name)) {
      throw DataError(fmt::format("The checkpoint {} has no {}.", path.string(), name));
    }
    if (file.shape(name) != stored_shape(view)) {
      throw DataError(fmt::format("{} of the checkpoint {} has shape ({}), not ({}).", name,
                                  path.string(), fmt::join(file.shape(name), ", "),
                                  fmt::join(stored_shape(view), ", ")));
    }
    file.read_rows<float>(
        name, {0, stored_shape(view)[0]},
        {checkpoint.parameters.data() + view.offset, static_cast<std::size_t>(view.size())});
    if (!view_of(checkpoint.parameters, view).allFinite()) {
      throw DataError(fmt::format("{} of the checkpoint {} holds a value that is not finite.", name,
                                  path.string()));
    }
  }
  return checkpoint;
}

}  // namespace sae
