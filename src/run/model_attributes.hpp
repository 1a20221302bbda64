#pragma once

#include <string>

#include "sae/data/data_spec.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/storage/hdf5_file.hpp"

namespace sae {

// What a checkpoint says of its model besides the arrays. Reading throws DataError for what this
// program does not know.

void check_exists(const Hdf5File& file, const std::string& name);
void check_finite(const Hdf5File& file, const std::string& name, bool all_finite);

/// Activations, visible units, decoder, normalisation.
void write_network(Hdf5File& file, const Topology& topology);
/// Of a topology whose layers have their units.
void read_network(const Hdf5File& file, Topology& topology);

/// The data that the model takes: type and scaling, names of features and classes.
void write_data(Hdf5File& file, const DataSpec& data);
DataSpec read_data(const Hdf5File& file, Index inputs);

}  // namespace sae
