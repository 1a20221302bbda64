#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sae/core/types.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

enum class Split { kTrain, kTest };
enum class PixelType {
  kUint8,
  kFloat32,
  kBfloat16  ///< Codes in memory; never in a file.
};

/// "train" or "test", as in the file.
std::string name_of(Split split);
/// "uint8", "float32" or "bfloat16".
std::string name_of(PixelType type);
std::size_t bytes_per_pixel(PixelType type);

inline constexpr Index kMaxClasses = 65535;
inline constexpr Index kMaxFeatures = Index{1} << 24;

/// What a data set file holds, without the samples.
struct DatasetInfo {
  std::string name;
  std::string source;   ///< Where it comes from; may be empty.
  std::string license;  ///< May be empty.
  Index classes = 0;    ///< Labels are in [0, classes). 0 only if there are no labels.
  Index features = 0;   ///< Values per sample.
  std::vector<std::string> class_names;    ///< By label; may be empty.
  std::vector<std::string> feature_names;  ///< May be empty.
  Index height = 0;                        ///< 0 if samples are flat.
  Index width = 0;                         ///< 0 if samples are flat.
  PixelType pixel_type = PixelType::kUint8;
  Index train_count = 0;  ///< At least 1.
  Index test_count = 0;   ///< 0 if there is no test split.
  bool has_train_labels = false;
  bool has_test_labels = false;
  bool lacks_labels = false;  ///< To be written: some labels are kNoLabel.

  Index count(Split split) const { return split == Split::kTrain ? train_count : test_count; }
  bool has_labels(Split split) const {
    return split == Split::kTrain ? has_train_labels : has_test_labels;
  }
  /// Its name in the data set, else its number.
  std::string feature_name(Index feature) const {
    return feature_names.empty() ? std::to_string(feature)
                                 : feature_names[static_cast<std::size_t>(feature)];
  }
  std::size_t bytes_per_sample() const {
    return static_cast<std::size_t>(features) * bytes_per_pixel(pixel_type);
  }
};

/// A data set file open for reading; data/README.md describes the format.
/// Local: ranks may read different ranges at the same time.
class DatasetFile {
 public:
  /// First reads the file in a trial process, because libhdf5 crashes on some damaged files; then
  /// checks everything that needs no samples. Calls `progress`, unless empty, for each block that
  /// the trial reads.
  /// Throws: MissingInputError, DataError.
  explicit DatasetFile(const std::filesystem::path& path,
                       const std::function<void()>& progress = {});

  /// As the constructor, for a file that has already passed a trial.
  static DatasetFile open_without_trial(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const DatasetInfo& info() const { return info_; }

  /// Samples of a split that are packed together: to read one of them takes as long as all.
  Index samples_per_chunk(Split split) const;

  /// Reads samples [samples.begin, samples.end), bytes_per_sample() each: uint8, or finite float32.
  /// Throws: DataError if the range is not in the split, the data are damaged, or a value is not
  /// finite (names sample, feature and value).
  void read_images(Split split, Range samples, std::span<std::byte> out) const;

  /// Reads labels: in [0, classes), or kNoLabel.
  /// Throws: DataError if the range is not in the split, the data are damaged, or a label is
  /// neither in [0, classes) nor -1 (names sample and value).
  void read_labels(Split split, Range samples, std::span<std::uint16_t> out) const;

 private:
  explicit DatasetFile(Hdf5File file);

  Hdf5File file_;
  DatasetInfo info_;
};

/// Makes trials run in a new process: this program with the arguments `command` and the path of a
/// data set, for which it must call run_dataset_trial. By default trials run in a fork of this
/// process, which is not safe after MPI or threads have started.
void start_dataset_trials_by(const std::string& command);
[[noreturn]] void run_dataset_trial(const std::filesystem::path& path);

/// Writes a data set file block by block; publishes it complete or not at all.
/// Local. Throws: OutputError.
class DatasetWriter {
 public:
  /// `info` fixes counts and sizes in advance.
  DatasetWriter(const std::filesystem::path& path, const DatasetInfo& info);

  /// Appends images to the split: whole samples, laid out as by read_images.
  /// Requires: the values are valid. They are checked when read, not here.
  void append_images(Split split, std::span<const std::byte> images);
  void append_labels(Split split, std::span<const std::uint16_t> labels);

  /// Publishes the file. Requires: all images and labels of `info` have been appended.
  void finish();

 private:
  struct Progress {
    Index images = 0;
    Index labels = 0;
  };
  Progress& progress(Split split) { return split == Split::kTrain ? train_ : test_; }

  OutputFile output_file_;
  Hdf5File file_;
  DatasetInfo info_;
  Progress train_;
  Progress test_;
};

}  // namespace sae
