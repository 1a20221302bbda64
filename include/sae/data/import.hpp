#pragma once

#include <filesystem>
#include <string>

#include "sae/core/types.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/idx_files.hpp"

namespace sae {

/// Output file and metadata of an import.
struct ImportOptions {
  std::filesystem::path output;
  std::string name;   ///< Empty: the stem of the output's file name.
  Index classes = 0;  ///< 0: the largest label of both splits, plus one.
  std::string source;
  std::string license;
};

/// Converts IDX files to a data set file, in bounded memory; returns its description.
/// On failure an existing output file is left as it was.
/// Throws: UsageError, MissingInputError, DataError, OutputError.
DatasetInfo import_idx(const IdxFiles& files, const ImportOptions& options);

/// Arrays in an HDF5 file. An empty name means that there is none.
struct Hdf5Arrays {
  std::filesystem::path file;
  std::string train_images;  ///< (N,H,W) or (N,D): uint8, or reals within [0, 1].
  std::string train_labels;  ///< (N), any integer type.
  std::string test_images;
  std::string test_labels;
};

/// As import_idx, for arrays of an HDF5 file; real pixels become float32.
DatasetInfo import_hdf5(const Hdf5Arrays& arrays, const ImportOptions& options);

}  // namespace sae
