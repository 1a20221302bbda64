// Writes what an independent program needs to repeat the first epoch of every stage of a run: the
// parameters at the start, and of each update the samples, their labels and which units the
// noise lets through. What the updates make of it, sae_dist itself tells.
// usage: export_updates DATA OUTPUT SEED BATCH_SIZE (UNITS CORRUPTION)...

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "sae/comm/self_communicator.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/model/noise.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/train/stage.hpp"

namespace {

using namespace sae;

constexpr std::uint32_t kEpoch = 1;

Configuration parse(std::span<char*> arguments) {
  Configuration configuration;
  configuration.layers.clear();
  configuration.data = arguments[1];
  configuration.seed = std::stoull(arguments[3]);
  configuration.batch_size = std::stoll(arguments[4]);
  for (std::size_t i = 5; i + 1 < arguments.size(); i += 2) {
    LayerSettings layer;
    layer.units = std::stoll(arguments[i]);
    layer.corruption = std::stod(arguments[i + 1]);
    configuration.layers.push_back(layer);
  }
  return configuration;
}

/// As (samples, units).
void write_matrix(Hdf5File& file, const std::string& name, const Matrix<float>& x) {
  file.write<float>(name, {x.cols(), x.rows()},
                    {x.data(), static_cast<std::size_t>(x.rows() * x.cols())});
}

/// (units, samples): 0 where the noise of the stage masks, else 1.
Matrix<float> mask(const Configuration& configuration, std::uint32_t stage, Index units,
                   const std::vector<std::uint32_t>& samples) {
  Matrix<float> ones = Matrix<float>::Ones(units, static_cast<Index>(samples.size()));
  corrupt<float>({.level = configuration.layers[stage].corruption},
                 {configuration.seed, stage, kEpoch}, samples, ones, ones);
  return ones;
}

void write_start(Hdf5File& file, const ParameterLayout& layout, std::uint64_t seed) {
  Vector<float> parameters;
  initialize_parameters(layout, seed, parameters);
  for (const ParameterView& view : layout.views()) {
    // Columns of (outputs, inputs) are rows of (inputs, outputs).
    const std::vector<Index> shape =
        view.is_weights ? std::vector{view.cols, view.rows} : std::vector{view.rows};
    file.write<float>("/start/" + view.name, shape,
                      {parameters.data() + view.offset, static_cast<std::size_t>(view.size())});
  }
}

void write_updates(Hdf5File& file, const Configuration& configuration, const Topology& topology,
                   const Stage& stage, const Shard& training, Communicator& comm) {
  const EpochOrder order(configuration.seed, stage.index, kEpoch, training.set_size());
  EpochStream minibatches(training, order, configuration.batch_size, 0, comm);
  Minibatch<float> minibatch;
  for (int update = 1; minibatches.next(minibatch); ++update) {
    const std::string group = fmt::format("/{}/{}/", stage.name, update);
    write_matrix(file, group + "inputs", minibatch.inputs);
    file.write<std::uint16_t>(group + "labels", {minibatch.size()}, minibatch.labels);
    if (stage.finetunes) continue;
    const auto inputs = topology.inputs_of(static_cast<Index>(stage.index));
    write_matrix(file, group + "mask_of_layer",
                 mask(configuration, stage.index, inputs, minibatch.samples));
    write_matrix(file, group + "mask_of_image",
                 mask(configuration, stage.index, topology.inputs, minibatch.samples));
  }
}

void export_updates(const Configuration& configuration, const char* output) {
  SelfCommunicator comm;
  DistributedDataset dataset(configuration.data, DataAccess::kScatter, comm);
  const Shard training =
      dataset.load_shard(SampleSet(Split::kTrain, {0, dataset.info().train_count}));
  const ParameterLayout layout(topology_for(configuration, dataset.info()));
  auto file = Hdf5File::create(output);
  write_start(file, layout, configuration.seed);
  for (const Stage& stage : plan_stages(configuration, layout)) {
    write_updates(file, configuration, layout.topology(), stage, training, comm);
  }
  file.close();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    export_updates(parse({argv, static_cast<std::size_t>(argc)}), argv[2]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "export_updates: {}\n", error.what());
    return 1;
  }
}
