#pragma once

#include <filesystem>
#include <string>

#include "sae/core/types.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/idx_files.hpp"

namespace sae {

/// What is written beside the samples.
struct ImportOptions {
  std::filesystem::path output;
  std::string name;   ///< Empty: the name of the output without folder and ending.
  Index classes = 0;  ///< 0: the largest label of both splits, plus one.
  std::string source;
  std::string license;
};

/// Makes a data set file from IDX files, in bounded memory. On failure nothing is
/// left under the name of the output, and what was there stays.
/// Returns what was written.
/// Throws: UsageError, MissingInputError, DataError, OutputError.
DatasetInfo import_idx(const IdxFiles& files, const ImportOptions& options);

/// Arrays in an HDF5 file. Empty: there is none.
struct Hdf5Arrays {
  std::filesystem::path file;
  std::string train_images;  ///< (N,H,W) or (N,D): uint8, or reals within [0, 1].
  std::string train_labels;  ///< (N), any integer type.
  std::string test_images;
  std::string test_labels;
};

/// As import_idx, from arrays of an HDF5 file; real pixels become float32.
DatasetInfo import_hdf5(const Hdf5Arrays& arrays, const ImportOptions& options);

}  // namespace sae
