#pragma once

#include <filesystem>
#include <string>

#include "sae/apply/inference.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

/// Where results come from; stored as attributes of their file.
struct InferenceOrigin {
  std::string model;  ///< File name.
  DatasetInfo dataset;
  Topology topology;
  DataSpec data;
};

/// Writes results block by block to an HDF5 file, described in data/README.md; publishes it
/// complete or not at all.
/// Local. Throws: OutputError.
class InferenceFile {
 public:
  InferenceFile(const std::filesystem::path& path, const InferenceSettings& settings,
                const InferenceOrigin& origin);

  /// Requires: blocks are in order.
  void append(const InferenceBlock& block);

  /// Publishes the file.
  void finish();

 private:
  OutputFile output_file_;
  Hdf5File file_;
  InferenceSettings settings_;
};

}  // namespace sae
