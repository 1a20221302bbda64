#include "sae/data/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "idx.hpp"
#include "sae/core/error.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sample_checks.hpp"

namespace sae {
namespace {

constexpr Index kBlockBytes = 1 << 20;

using ImageSink = std::function<void(std::span<const std::byte>)>;
using LabelSink = std::function<void(Index first_sample, std::span<const std::int64_t>)>;

/// The samples of one split from any format, block by block.
struct SplitSource {
  std::string images_location;  ///< File and array, for messages.
  std::string labels_location;
  Index count = 0;
  std::vector<Index> sample_shape;
  PixelType pixel_type = PixelType::kUint8;
  std::function<void(const ImageSink&)> for_each_image_block;
  std::function<void(const LabelSink&)> for_each_label_block;  ///< Empty: no labels.
};

[[noreturn]] void fail(const std::string& location, const std::string& fault) {
  throw DataError(fmt::format("Cannot import {}: {}.", location, fault));
}

/// The product of the sizes; kMaxFeatures + 1 if a size is 0 or the product is too large.
Index product(const std::vector<Index>& sizes) {
  Index result = 1;
  for (const Index size : sizes) {
    result = size > 0 && size <= kMaxFeatures / result ? result * size : kMaxFeatures + 1;
    if (result > kMaxFeatures) break;
  }
  return result;
}

/// Checks the shapes and sets count and sample_shape. The first dimension is the sample.
/// `labels_shape` is none if there are no labels.
void set_shape(SplitSource& source, const std::vector<Index>& shape,
               const std::optional<std::vector<Index>>& labels_shape) {
  const auto text = fmt::format("({})", fmt::join(shape, ", "));
  if (shape.size() != 2 && shape.size() != 3) {
    fail(source.images_location,
         fmt::format("it has shape {}; images have (samples, pixels) or (samples, height, width)",
                     text));
  }
  source.count = shape.front();
  source.sample_shape.assign(shape.begin() + 1, shape.end());
  if (source.count == 0) fail(source.images_location, "it holds no samples");
  if (product(source.sample_shape) > kMaxFeatures) {
    fail(source.images_location,
         fmt::format("it has shape {}; samples hold 1 to {} pixels", text, kMaxFeatures));
  }
  if (labels_shape && *labels_shape != std::vector{source.count}) {
    fail(source.labels_location,
         fmt::format("it has shape ({}), but {} holds {} images{}", fmt::join(*labels_shape, ", "),
                     source.images_location, source.count, hint_of_order(shape, *labels_shape)));
  }
}

Index rows_per_block(Index row_bytes) { return std::max<Index>(kBlockBytes / row_bytes, 1); }

/// Calls `action` with ranges of at most `rows` that cover [0, count).
template <typename Action>
void for_each_block(Index count, Index rows, Action action) {
  for (Index begin = 0; begin < count; begin += rows) {
    action(Range{begin, std::min(begin + rows, count)});
  }
}

std::string quoted(const std::filesystem::path& path) { return fmt::format("'{}'", path.string()); }

SplitSource idx_source(const std::filesystem::path& images, const std::filesystem::path& labels) {
  SplitSource source;
  source.images_location = quoted(images);
  source.labels_location = quoted(labels);
  std::optional<std::vector<Index>> labels_shape;
  if (!labels.empty()) labels_shape = IdxReader(labels).shape();
  set_shape(source, IdxReader(images).shape(), labels_shape);

  source.for_each_image_block = [images](const ImageSink& sink) {
    IdxReader reader(images);
    const Index rows = rows_per_block(reader.item_size());
    std::vector<std::uint8_t> block;
    for_each_block(reader.count(), rows, [&](Range range) {
      block.resize(static_cast<std::size_t>(range.size() * reader.item_size()));
      reader.read(block);
      sink(std::as_bytes(std::span(block)));
    });
    reader.finish();
  };
  if (labels.empty()) return source;
  source.for_each_label_block = [labels](const LabelSink& sink) {
    IdxReader reader(labels);
    std::vector<std::uint8_t> block;
    for_each_block(reader.count(), rows_per_block(sizeof(std::int64_t)), [&](Range range) {
      block.resize(static_cast<std::size_t>(range.size()));
      reader.read(block);
      const std::vector<std::int64_t> values(block.begin(), block.end());
      sink(range.begin, values);
    });
    reader.finish();
  };
  return source;
}

SplitSource hdf5_source(const std::shared_ptr<const Hdf5File>& file, const std::string& images,
                        const std::string& labels) {
  SplitSource source;
  const auto location = [&file](const std::string& array) {
    return fmt::format("{} in {}", array, quoted(file->path()));
  };
  source.images_location = location(images);
  source.labels_location = location(labels);
  for (const std::string& array : {images, labels}) {
    if (!array.empty() && !file->exists(array)) fail(location(array), "there is no such array");
  }
  const ElementType type = file->element_type(images);
  if (type != ElementType::kUint8 && !is_real(type)) {
    fail(source.images_location,
         fmt::format("its elements are {}, not uint8, float32 or float64", name_of(type)));
  }
  source.pixel_type = type == ElementType::kUint8 ? PixelType::kUint8 : PixelType::kFloat32;
  std::optional<std::vector<Index>> labels_shape;
  if (!labels.empty()) {
    labels_shape = file->shape(labels);
    if (const ElementType of_labels = file->element_type(labels); !is_integer(of_labels)) {
      fail(source.labels_location,
           fmt::format("its elements are {}, not integers", name_of(of_labels)));
    }
  }
  set_shape(source, file->shape(images), labels_shape);

  source.for_each_image_block = [file, images, source](const ImageSink& sink) {
    const bool is_float = source.pixel_type == PixelType::kFloat32;
    DatasetInfo info;
    info.features = product(source.sample_shape);
    const auto row_bytes = info.features * static_cast<Index>(bytes_per_pixel(source.pixel_type));
    std::vector<std::byte> block;
    for_each_block(source.count, rows_per_block(row_bytes), [&](Range range) {
      block.resize(static_cast<std::size_t>(range.size() * row_bytes));
      file->read_bytes(images, range, is_float ? ElementType::kFloat32 : ElementType::kUint8,
                       block);
      if (is_float) {
        check_values(block, info, range.begin, source.images_location);
      }
      sink(block);
    });
  };
  if (labels.empty()) return source;
  source.for_each_label_block = [file, labels, count = source.count](const LabelSink& sink) {
    std::vector<std::int64_t> block;
    for_each_block(count, rows_per_block(sizeof(std::int64_t)), [&](Range range) {
      block.resize(static_cast<std::size_t>(range.size()));
      file->read_rows(labels, range, std::span(block));
      sink(range.begin, block);
    });
  };
  return source;
}

/// Checks all labels before anything is written, and finds the number of classes: as requested if
/// > 0, else the largest label plus one.
void count_classes(const std::vector<SplitSource>& splits, Index requested, DatasetInfo& info) {
  info.classes = requested;
  for (const SplitSource& split : splits) {
    if (!split.for_each_label_block) continue;
    split.for_each_label_block([&](Index first, std::span<const std::int64_t> labels) {
      check_labels(labels, requested > 0 ? requested : kMaxClasses, first, split.labels_location);
      const auto [least, most] = std::ranges::minmax(labels);
      info.classes = std::max<Index>(info.classes, most + 1);
      info.lacks_labels |= least < 0;
    });
  }
}

void copy(const SplitSource& source, Split split, DatasetWriter& writer) {
  source.for_each_image_block(
      [&](std::span<const std::byte> images) { writer.append_images(split, images); });
  if (!source.for_each_label_block) return;
  source.for_each_label_block([&](Index, std::span<const std::int64_t> labels) {
    std::vector<std::uint16_t> narrow(labels.size());
    std::transform(labels.begin(), labels.end(), narrow.begin(), [](std::int64_t label) {
      return label < 0 ? kNoLabel : static_cast<std::uint16_t>(label);
    });
    writer.append_labels(split, narrow);
  });
}

/// `splits` holds the training split and optionally the test split.
DatasetInfo write_dataset(const std::vector<SplitSource>& splits, const ImportOptions& options) {
  const SplitSource& train = splits.front();
  const SplitSource& last = splits.back();
  if (last.sample_shape != train.sample_shape) {
    fail(last.images_location,
         fmt::format("its samples have shape ({}), those of {} ({})",
                     fmt::join(last.sample_shape, ", "), train.images_location,
                     fmt::join(train.sample_shape, ", ")));
  }
  if (last.pixel_type != train.pixel_type) {
    fail(last.images_location,
         fmt::format("one of it and {} holds uint8 and the other reals", train.images_location));
  }
  if (options.classes < 0 || options.classes > kMaxClasses) {
    throw UsageError(fmt::format("The number of classes is {}, not within [0, {}].",
                                 options.classes, kMaxClasses));
  }
  DatasetInfo info;
  info.name = options.name.empty() ? options.output.stem().string() : options.name;
  info.source = options.source;
  info.license = options.license;
  count_classes(splits, options.classes, info);
  info.features = product(train.sample_shape);
  if (train.sample_shape.size() == 2) {
    info.height = train.sample_shape[0];
    info.width = train.sample_shape[1];
  }
  info.pixel_type = train.pixel_type;
  info.train_count = train.count;
  info.has_train_labels = static_cast<bool>(train.for_each_label_block);
  if (splits.size() > 1) {
    info.test_count = last.count;
    info.has_test_labels = static_cast<bool>(last.for_each_label_block);
  }
  DatasetWriter writer(options.output, info);
  copy(train, Split::kTrain, writer);
  if (splits.size() > 1) copy(last, Split::kTest, writer);
  writer.finish();
  return info;
}

template <typename T>
void check_named(const T& train_images, const T& test_images, const T& test_labels) {
  if (train_images.empty()) throw UsageError("Cannot import: no training images are named.");
  if (test_images.empty() && !test_labels.empty()) {
    throw UsageError("Cannot import: test labels are named, but no test images.");
  }
}

}  // namespace

DatasetInfo import_idx(const IdxFiles& files, const ImportOptions& options) {
  check_named(files.train_images, files.test_images, files.test_labels);
  std::vector<SplitSource> splits{idx_source(files.train_images, files.train_labels)};
  if (!files.test_images.empty()) {
    splits.push_back(idx_source(files.test_images, files.test_labels));
  }
  return write_dataset(splits, options);
}

DatasetInfo import_hdf5(const Hdf5Arrays& arrays, const ImportOptions& options) {
  check_named(arrays.train_images, arrays.test_images, arrays.test_labels);
  const auto file = std::make_shared<const Hdf5File>(Hdf5File::open(arrays.file));
  std::vector<SplitSource> splits{hdf5_source(file, arrays.train_images, arrays.train_labels)};
  if (!arrays.test_images.empty()) {
    splits.push_back(hdf5_source(file, arrays.test_images, arrays.test_labels));
  }
  return write_dataset(splits, options);
}

}  // namespace sae
