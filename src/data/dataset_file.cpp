#include "sae/data/dataset_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <utility>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/storage/trial_process.hpp"
#include "sample_checks.hpp"

namespace sae {
namespace {

constexpr const char* kFormat = "sae-dataset";
// 1 had real numbers within [0, 1] only, a label for each sample or for none, and no names.
constexpr std::int64_t kVersion = 2;
constexpr const char* kClassNames = "/class_names";
constexpr const char* kFeatureNames = "/feature_names";
constexpr std::string_view kImportHint = " 'sae_dist import' makes one of tables and arrays.";
constexpr int kDeflateLevel = 6;
constexpr Index kLabelsPerBlock = 1 << 16;
constexpr std::size_t kTrialBlockBytes = std::size_t{1} << 20;
constexpr std::chrono::seconds kTablesLimit{2};  // An intact file takes milliseconds.
constexpr std::chrono::seconds kBlockLimit{30};  // Unpacking the largest chunk takes less.

std::string images_of(Split split) { return fmt::format("/{}/images", name_of(split)); }
std::string labels_of(Split split) { return fmt::format("/{}/labels", name_of(split)); }

std::string location(const std::string& dataset, const Hdf5File& file) {
  return fmt::format("{} in '{}'", dataset, file.path().string());
}

[[noreturn]] void fail(const Hdf5File& file, const std::string& fault) {
  throw DataError(fmt::format("Cannot use '{}' as a data set: {}.", file.path().string(), fault));
}

ElementType element_type_of(PixelType type) {
  assert(type != PixelType::kBfloat16);
  return type == PixelType::kUint8 ? ElementType::kUint8 : ElementType::kFloat32;
}

void check_format(const Hdf5File& file) {
  if (!file.has_attribute("/", "format") || !file.has_attribute("/", "version")) {
    fail(file,
         "its attributes 'format' and 'version' are missing; 'sae_dist import' makes a data "
         "set of arrays");
  }
  if (const std::string format = file.read_string("/", "format"); format != kFormat) {
    fail(file, fmt::format("its format is '{}', not '{}'", format, kFormat));
  }
  if (const auto version = file.read_integer("/", "version"); version < 1 || version > kVersion) {
    fail(file, fmt::format("it is of format version {}; this program reads versions up to {}",
                           version, kVersion));
  }
}

std::string optional_string(const Hdf5File& file, const std::string& name) {
  return file.has_attribute("/", name) ? file.read_string("/", name) : "";
}

PixelType pixel_type_of(const Hdf5File& file, const std::string& images) {
  const ElementType type = file.element_type(images);
  if (type == ElementType::kUint8) return PixelType::kUint8;
  if (type == ElementType::kFloat32) return PixelType::kFloat32;
  fail(file, fmt::format("the elements of {} are {}, not uint8 or float32", images, name_of(type)));
}

/// Shape of one sample: (D) or (H, W).
std::vector<Index> sample_shape(const Hdf5File& file, const std::string& images) {
  const std::vector<Index> shape = file.shape(images);
  if (shape.size() != 2 && shape.size() != 3) {
    fail(file, fmt::format("{} has shape ({}), not (samples, pixels) or (samples, height, width)",
                           images, fmt::join(shape, ", ")));
  }
  Index features = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (shape[i] < 1 || shape[i] > kMaxFeatures / features) {
      fail(file, fmt::format("{} has shape ({}); samples hold 1 to {} pixels", images,
                             fmt::join(shape, ", "), kMaxFeatures));
    }
    features *= shape[i];
  }
  return {shape.begin() + 1, shape.end()};
}

bool check_for_labels(const Hdf5File& file, Split split, Index samples) {
  const std::string labels = labels_of(split);
  if (!file.exists(labels)) return false;
  if (const ElementType type = file.element_type(labels); !is_integer(type)) {
    fail(file, fmt::format("the elements of {} are {}, not integers", labels, name_of(type)));
  }
  if (const std::vector<Index> shape = file.shape(labels); shape != std::vector{samples}) {
    const std::string images = images_of(split);
    const std::string hint =
        file.exists(images) ? hint_of_order(file.shape(images), shape) : std::string();
    fail(file, fmt::format("{} has shape ({}), but there are {} images{}", labels,
                           fmt::join(shape, ", "), samples, hint));
  }
  return true;
}

void read_sizes(const Hdf5File& file, DatasetInfo& info) {
  const std::string train = images_of(Split::kTrain);
  const std::string test = images_of(Split::kTest);
  if (!file.exists(train)) fail(file, train + " is missing");
  const std::vector<Index> shape = sample_shape(file, train);
  info.features = shape.size() == 1 ? shape[0] : shape[0] * shape[1];
  info.height = shape.size() == 1 ? 0 : shape[0];
  info.width = shape.size() == 1 ? 0 : shape[1];
  info.pixel_type = pixel_type_of(file, train);
  info.train_count = file.shape(train).front();
  if (info.train_count == 0) fail(file, train + " holds no samples");
  info.has_train_labels = check_for_labels(file, Split::kTrain, info.train_count);

  if (file.exists(test)) {
    if (sample_shape(file, test) != shape) {
      fail(file,
           fmt::format("the samples of {} have shape ({}), those of {} ({})", train,
                       fmt::join(shape, ", "), test, fmt::join(sample_shape(file, test), ", ")));
    }
    if (pixel_type_of(file, test) != info.pixel_type) {
      fail(file, fmt::format("{} and {} have different element types", train, test));
    }
    info.test_count = file.shape(test).front();
  }
}

/// The names of so many `things`; empty if there are none.
std::vector<std::string> read_names(const Hdf5File& file, const std::string& name, Index count,
                                    std::string_view things) {
  if (!file.exists(name)) return {};
  const std::vector<Index> shape = file.shape(name);
  if (shape != std::vector{count}) {
    fail(file, fmt::format("{} has shape ({}), but there are {} {}", name, fmt::join(shape, ", "),
                           count, things));
  }
  return file.read_strings(name);
}

DatasetInfo read_info(const Hdf5File& file) {
  check_format(file);
  DatasetInfo info;
  read_sizes(file, info);
  info.has_test_labels = check_for_labels(file, Split::kTest, info.test_count);
  info.name = optional_string(file, "name");
  if (info.name.empty()) info.name = file.path().stem().string();
  info.source = optional_string(file, "source");
  info.license = optional_string(file, "license");
  if (!file.has_attribute("/", "classes")) {
    fail(file, "its attribute 'classes', the number of classes, is missing");
  }
  info.classes = file.read_integer("/", "classes");
  const Index fewest = info.has_train_labels || info.has_test_labels ? 1 : 0;
  if (info.classes < fewest || info.classes > kMaxClasses) {
    fail(file, fmt::format("its attribute 'classes' is {}, not within [{}, {}]", info.classes,
                           fewest, kMaxClasses));
  }
  info.class_names = read_names(file, kClassNames, info.classes, "classes");
  info.feature_names = read_names(file, kFeatureNames, info.features, "features");
  return info;
}

/// Reads all rows the way DatasetFile does.
void try_rows(const Hdf5File& file, const std::string& name, ElementType as, std::size_t row_bytes,
              const LimitTime& limit_time) {
  const Index count = file.shape(name).front();
  const auto length = static_cast<Index>(std::max<std::size_t>(kTrialBlockBytes / row_bytes, 1));
  std::vector<std::byte> block;
  for (Range rows{0, 0}; rows.end < count;) {
    rows = {rows.end, std::min(rows.end + length, count)};
    block.resize(static_cast<std::size_t>(rows.size()) * row_bytes);
    limit_time(kBlockLimit);
    try {
      file.read_bytes(name, rows, as, block);
    } catch (const DataError&) {  // Reported when these rows are read.
    }
  }
}

/// Whether libhdf5 decodes the rows without a check sum.
bool needs_trial(const Hdf5File& file, const std::string& name) {
  return !file.is_contiguous(name) && !file.has_check_sums(name);
}

/// Reads everything that libhdf5 could crash on: the file's tables and, if needed, the rows.
void try_file(const std::filesystem::path& path, const LimitTime& limit_time) {
  limit_time(kTablesLimit);
  const Hdf5File file = Hdf5File::open(path);
  const DatasetInfo info = read_info(file);
  for (const Split split : {Split::kTrain, Split::kTest}) {
    if (const std::string images = images_of(split);
        info.count(split) > 0 && needs_trial(file, images)) {
      try_rows(file, images, element_type_of(info.pixel_type), info.bytes_per_sample(), limit_time);
    }
    if (const std::string labels = labels_of(split);
        info.has_labels(split) && needs_trial(file, labels)) {
      try_rows(file, labels, ElementType::kInt64, sizeof(std::int64_t), limit_time);
    }
  }
}

/// Set by start_dataset_trials_by(); empty: trials fork.
std::string& trial_command() {
  static std::string command;
  return command;
}

Hdf5File open_after_trial(const std::filesystem::path& path,
                          const std::function<void()>& progress) {
  const auto failure =
      trial_command().empty()
          ? failure_in_trial([&path](const LimitTime& limit) { try_file(path, limit); }, progress)
          : failure_in_new_process({trial_command(), path.string()}, progress);
  if (failure) {
    throw DataError(
        fmt::format("'{}' is damaged: the HDF5 library {} while reading it in a trial process.",
                    path.string(), *failure));
  }
  return Hdf5File::open(path, kImportHint);
}

}  // namespace

std::string name_of(Split split) { return split == Split::kTrain ? "train" : "test"; }

std::string name_of(PixelType type) {
  return type == PixelType::kUint8 ? "uint8" : type == PixelType::kFloat32 ? "float32" : "bfloat16";
}

std::size_t bytes_per_pixel(PixelType type) {
  switch (type) {
    case PixelType::kUint8:
      return sizeof(std::uint8_t);
    case PixelType::kFloat32:
      return sizeof(float);
    case PixelType::kBfloat16:
      return sizeof(bfloat16);
  }
  return 0;
}

void start_dataset_trials_by(const std::string& command) { trial_command() = command; }

void run_dataset_trial(const std::filesystem::path& path) {
  run_trial([&path](const LimitTime& limit) { try_file(path, limit); });
}

DatasetFile::DatasetFile(const std::filesystem::path& path, const std::function<void()>& progress)
    : DatasetFile(open_after_trial(path, progress)) {}

DatasetFile DatasetFile::open_without_trial(const std::filesystem::path& path) {
  return DatasetFile(Hdf5File::open(path, kImportHint));
}

DatasetFile::DatasetFile(Hdf5File file) : file_(std::move(file)), info_(read_info(file_)) {}

Index DatasetFile::samples_per_chunk(Split split) const {
  return info_.count(split) > 0 ? file_.chunk_rows(images_of(split)) : 1;
}

void DatasetFile::read_images(Split split, Range samples, std::span<std::byte> out) const {
  const std::string images = images_of(split);
  file_.read_bytes(images, samples, element_type_of(info_.pixel_type), out);
  if (info_.pixel_type == PixelType::kFloat32) {
    check_values(out, info_, samples.begin, location(images, file_));
  }
}

void DatasetFile::read_labels(Split split, Range samples, std::span<std::uint16_t> out) const {
  assert(static_cast<Index>(out.size()) == samples.size());
  const std::string labels = labels_of(split);
  if (!info_.has_labels(split)) fail(file_, labels + " is missing");
  std::vector<std::int64_t> block(
      static_cast<std::size_t>(std::min(samples.size(), kLabelsPerBlock)));
  auto next = out.begin();
  for (Range rows{samples.begin, 0}; rows.begin < samples.end; rows.begin = rows.end) {
    rows.end = std::min(rows.begin + kLabelsPerBlock, samples.end);
    const std::span<std::int64_t> values(block.data(), static_cast<std::size_t>(rows.size()));
    file_.read_rows(labels, rows, values);
    check_labels(values, info_.classes, rows.begin, location(labels, file_));
    next = std::transform(values.begin(), values.end(), next, [](std::int64_t label) {
      return label < 0 ? kNoLabel : static_cast<std::uint16_t>(label);
    });
  }
}

DatasetWriter::DatasetWriter(const std::filesystem::path& path, const DatasetInfo& info)
    : output_file_(path), file_(Hdf5File::create(output_file_.temporary_path())), info_(info) {
  file_.write_string("/", "format", kFormat);
  // What version 1 can say, programs that know no other can read.
  const bool is_new = info.pixel_type == PixelType::kFloat32 || info.lacks_labels ||
                      !info.class_names.empty() || !info.feature_names.empty();
  file_.write_integer("/", "version", is_new ? kVersion : 1);
  file_.write_string("/", "name", info.name);
  file_.write_integer("/", "classes", info.classes);
  if (!info.source.empty()) file_.write_string("/", "source", info.source);
  if (!info.license.empty()) file_.write_string("/", "license", info.license);
  if (!info.class_names.empty()) file_.write_strings(kClassNames, info.class_names);
  if (!info.feature_names.empty()) file_.write_strings(kFeatureNames, info.feature_names);
  // Real numbers hardly become smaller, and to pack them takes longer than all else.
  const bool packed = info.pixel_type == PixelType::kUint8;
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const Index count = info.count(split);
    if (count == 0) continue;
    DatasetLayout layout{
        .shape = {}, .shuffle = packed, .deflate_level = packed ? kDeflateLevel : 0};
    if (info.height > 0) {
      layout.shape = {count, info.height, info.width};
    } else {
      layout.shape = {count, info.features};
    }
    file_.create_dataset(images_of(split), element_type_of(info.pixel_type), layout);
    if (info.has_labels(split)) {
      file_.create_dataset(labels_of(split),
                           info.lacks_labels ? ElementType::kInt64 : ElementType::kUint16,
                           {.shape = {count}, .shuffle = true, .deflate_level = kDeflateLevel});
    }
  }
}

void DatasetWriter::append_images(Split split, std::span<const std::byte> images) {
  Index& written = progress(split).images;
  file_.write_bytes(images_of(split), written, element_type_of(info_.pixel_type), images);
  written += static_cast<Index>(images.size() / info_.bytes_per_sample());
}

void DatasetWriter::append_labels(Split split, std::span<const std::uint16_t> labels) {
  Index& written = progress(split).labels;
  if (info_.lacks_labels) {
    std::vector<std::int64_t> wide(labels.begin(), labels.end());
    std::ranges::replace(wide, std::int64_t{kNoLabel}, std::int64_t{-1});
    file_.write_rows(labels_of(split), written, std::span<const std::int64_t>(wide));
  } else {
    file_.write_rows(labels_of(split), written, labels);
  }
  written += static_cast<Index>(labels.size());
}

void DatasetWriter::finish() {
  for (const Split split : {Split::kTrain, Split::kTest}) {
    assert(progress(split).images == info_.count(split));
    assert(progress(split).labels == (info_.has_labels(split) ? info_.count(split) : 0));
    static_cast<void>(split);
  }
  file_.close();
  output_file_.commit();
}

}  // namespace sae
