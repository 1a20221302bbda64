#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "sae/core/types.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/idx_files.hpp"

namespace sae {

/// What becomes of values that are missing: NaN, or in CSV files also an empty field.
enum class MissingValues {
  kRefused,
  kMean,  ///< The mean of the feature over the training samples that have it.
  kZero
};

/// Output file, metadata, and what holds for the input of any format.
struct ImportOptions {
  std::filesystem::path output;
  std::string name = {};  ///< Empty: the stem of the output's file name.
  Index classes = 0;      ///< 0: the largest label of both splits, plus one.
  std::string source = {};
  std::string license = {};
  Index first_label = 0;  ///< The label of the first class in the input.
  MissingValues missing = MissingValues::kRefused;
  /// Share of the samples that are drawn for the test split, in [0, 1). Requires: 0 if the input
  /// has a test split.
  double test_share = 0;
  std::uint64_t seed = 1;  ///< Of the draw.
  Index height = 0;        ///< Flat samples become images of this size; 0: they stay flat.
  Index width = 0;
  /// Is called with the share of the work that is done, in [0, 1], for each block.
  std::function<void(double)> progress = {};
};

/// Converts IDX files to a data set file, in bounded memory; returns its description.
/// On failure an existing output file is left as it was.
/// Throws: UsageError, MissingInputError, DataError, OutputError.
DatasetInfo import_idx(const IdxFiles& files, const ImportOptions& options);

/// Arrays in an HDF5 file. An empty name means that there is none.
struct Hdf5Arrays {
  std::filesystem::path file;
  std::string train_images;  ///< (N,H,W), (N,1,H,W), (N,H,W,1) or (N,D): integers or reals.
  std::string train_labels;  ///< (N), or one-hot (N,K).
  std::string test_images;
  std::string test_labels;
  bool transpose = false;  ///< The last dimension counts the samples, as in files of MATLAB.
};

/// As import_idx, for arrays of an HDF5 file. uint8 stays; other numbers become float32.
DatasetInfo import_hdf5(const Hdf5Arrays& arrays, const ImportOptions& options);

/// NumPy's arrays: files .npy, plain or packed with gzip, or arrays of .npz files, as
/// FILE.npz:NAME. Empty: there is none. Of an .npz without a NAME the usual names are looked for.
struct NpyArrays {
  std::string train_images;
  std::string train_labels;
  std::string test_images;
  std::string test_labels;
};

/// As import_hdf5, for NumPy's files.
DatasetInfo import_npy(const NpyArrays& arrays, const ImportOptions& options);

/// The file in which such an array is.
std::filesystem::path npy_file_of(const std::string& array);

/// A table as text, plain or packed with gzip; a sample is a row.
struct CsvFiles {
  enum class Header { kAuto, kYes, kNo };

  std::filesystem::path train;
  std::filesystem::path test;       ///< Empty: there is none.
  std::string label;                ///< Name of the column, or its number from 1; empty: none.
  std::vector<std::string> ignore;  ///< Columns that are left out.
  char separator = 0;               ///< 0: is recognised.
  Header header = Header::kAuto;
};

/// As import_idx, for text. Numbers become float32, or uint8 if the options give height and width;
/// columns of words become one feature for each word.
DatasetInfo import_csv(const CsvFiles& files, const ImportOptions& options);

}  // namespace sae
