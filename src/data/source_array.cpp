// What all formats of arrays have in common: shapes, element types, missing values and labels.

#include "source_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "array_labels.hpp"
#include "sae/core/error.hpp"
#include "sample_checks.hpp"

namespace sae {
namespace {

constexpr Index kImageBlockBytes = 1 << 20;

std::vector<Index> sample_shape_of(const SourceArray& images, const ImportOptions& options) {
  const std::vector<Index>& shape = images.shape();
  const auto text = fmt::format("({})", fmt::join(shape, ", "));
  std::vector<Index> sample(shape.begin() + (shape.empty() ? 0 : 1), shape.end());
  if (sample.size() == 3) {  // Grey images with their one channel.
    if (sample.front() == 1) {
      sample.erase(sample.begin());
    } else if (sample.back() == 1) {
      sample.pop_back();
    }
  }
  if (sample.empty() || sample.size() > 2) {
    fail_import(images.location(),
                fmt::format("it has shape {}; images have (samples, pixels) or (samples, height, "
                            "width), with one channel at most",
                            text));
  }
  if (shape.front() == 0) fail_import(images.location(), "it holds no samples");
  if (features_of(sample) > kMaxFeatures) {
    fail_import(images.location(),
                fmt::format("it has shape {}; samples hold 1 to {} pixels", text, kMaxFeatures));
  }
  if (options.height == 0) return sample;
  std::vector<Index> wanted = {options.height, options.width};
  if (sample != wanted && (sample.size() == 2 || sample[0] != features_of(wanted))) {
    fail_import(images.location(), fmt::format("it has shape {}, so its samples are no images of "
                                               "{}x{} pixels",
                                               text, options.height, options.width));
  }
  return wanted;
}

PixelType pixel_type_of(const SourceArray& images, const ImportOptions& options) {
  const ElementType type = images.type();
  if (!is_integer(type) && !is_real(type)) {
    fail_import(images.location(), fmt::format("its elements are {}, not numbers", name_of(type)));
  }
  // Integers that are to be images are bytes.
  const bool bytes = type == ElementType::kUint8 || (is_integer(type) && options.height > 0);
  return bytes ? PixelType::kUint8 : PixelType::kFloat32;
}

/// Reads the samples of an array as they are stored in a data set, block by block.
class ImageBlocks {
 public:
  ImageBlocks(const std::shared_ptr<SourceArray>& array, PixelType pixel_type, Index features)
      : array_(array), pixel_type_(pixel_type), features_(features) {
    array_->rewind();
  }

  /// The next samples; none after the last. float32 may be NaN, not infinite.
  std::span<std::byte> next() {
    const Index row_bytes = features_ * static_cast<Index>(bytes_per_pixel(pixel_type_));
    const Index rows =
        std::min(std::max<Index>(kImageBlockBytes / row_bytes, 1), array_->shape().front() - next_);
    if (rows == 0) {
      array_->finish();
      return {};
    }
    block_.resize(static_cast<std::size_t>(rows * row_bytes));
    first_ = next_;
    next_ += rows;
    const ElementType type = array_->type();
    if (type == ElementType::kUint8 && pixel_type_ == PixelType::kUint8) {
      array_->read(type, block_);
    } else if (is_integer(type)) {
      pixel_type_ == PixelType::kUint8 ? read_integers<std::uint8_t>() : read_integers<float>();
    } else if (type == ElementType::kFloat32) {
      array_->read(type, block_);
      check_finite();
    } else {
      read_doubles();
    }
    return block_;
  }
  Index first_sample() const { return first_; }  ///< Of the last block.

 private:
  [[noreturn]] void fail_at(std::size_t at, const std::string& fault) const {
    const auto place = static_cast<Index>(at);
    fail_import(array_->location(), fmt::format("feature {} of sample {} is {}", place % features_,
                                                first_ + place / features_, fault));
  }
  std::span<float> floats() {
    return {reinterpret_cast<float*>(block_.data()), block_.size() / sizeof(float)};
  }
  template <typename T>
  void read_integers() {
    wide_integers_.resize(block_.size() / sizeof(T));
    array_->read(ElementType::kInt64, std::as_writable_bytes(std::span(wide_integers_)));
    T* const out = reinterpret_cast<T*>(block_.data());
    for (std::size_t i = 0; i < wide_integers_.size(); ++i) {
      const std::int64_t value = wide_integers_[i];
      // Larger unsigned numbers are read as the largest signed one.
      if (value == std::numeric_limits<std::int64_t>::max()) fail_at(i, "2^63 - 1 or more");
      if (sizeof(T) == 1 && (value < 0 || value > 255)) {
        fail_at(i, fmt::format("{}, and a pixel is within [0, 255]", value));
      }
      out[i] = static_cast<T>(value);
    }
  }
  void read_doubles() {
    wide_reals_.resize(block_.size() / sizeof(float));
    array_->read(ElementType::kFloat64, std::as_writable_bytes(std::span(wide_reals_)));
    const std::span<float> out = floats();
    for (std::size_t i = 0; i < wide_reals_.size(); ++i) {
      out[i] = static_cast<float>(wide_reals_[i]);
      if (std::isinf(out[i])) {
        fail_at(i, std::isinf(wide_reals_[i])
                       ? fmt::format("{}, not a finite number", wide_reals_[i])
                       : fmt::format("{}, beyond the range of float32", wide_reals_[i]));
      }
    }
  }
  void check_finite() {
    const std::span<float> values = floats();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isinf(values[i])) fail_at(i, fmt::format("{}, not a finite number", values[i]));
    }
  }

  std::shared_ptr<SourceArray> array_;
  PixelType pixel_type_;
  Index features_;
  Index first_ = 0;
  Index next_ = 0;
  std::vector<std::byte> block_;
  std::vector<std::int64_t> wide_integers_;
  std::vector<double> wide_reals_;
};

/// What stands in for NaN, by feature; empty: nothing does.
using Replacements = std::vector<float>;

/// The mean of each feature over the training samples that have it.
Replacements means_of(const SplitSource& split, const std::shared_ptr<SourceArray>& array,
                      const TestDraw& draw) {
  const Index features = features_of(split.sample_shape);
  std::vector<double> sums(static_cast<std::size_t>(features));
  std::vector<Index> counts(sums.size());
  ImageBlocks blocks(array, split.pixel_type, features);
  for (auto block = blocks.next(); !block.empty(); block = blocks.next()) {
    const auto* value = reinterpret_cast<const float*>(block.data());
    const auto rows = static_cast<Index>(block.size() / sizeof(float)) / features;
    for (Index sample = blocks.first_sample(); sample < blocks.first_sample() + rows; ++sample) {
      if (draw.is_test(sample)) {
        value += features;
        continue;
      }
      for (std::size_t i = 0; i < sums.size(); ++i, ++value) {
        if (std::isnan(*value)) continue;
        sums[i] += static_cast<double>(*value);
        ++counts[i];
      }
    }
  }
  Replacements means(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (counts[i] == 0) {
      fail_import(array->location(),
                  fmt::format("feature {} is missing in all training samples, so that it has no "
                              "mean",
                              i));
    }
    means[i] = static_cast<float>(sums[i] / static_cast<double>(counts[i]));
  }
  return means;
}

void replace_missing(std::span<float> values, const Replacements& replacements,
                     const std::string& location, Index first_sample, Index features) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i])) continue;
    const auto feature = i % static_cast<std::size_t>(features);
    if (replacements.empty()) {
      fail_import(location, fmt::format("feature {} of sample {} is nan; --missing mean or zero "
                                        "puts a value in its place",
                                        feature, first_sample + static_cast<Index>(i) / features));
    }
    values[i] = replacements[feature];
  }
}

SplitSource split_of(const SplitArrays& arrays, const ImportOptions& options,
                     const std::shared_ptr<Replacements>& replacements) {
  const auto& [images, labels] = arrays;
  SplitSource source;
  source.images_location = images->location();
  source.sample_shape = sample_shape_of(*images, options);
  source.count = images->shape().front();
  source.pixel_type = pixel_type_of(*images, options);
  if (labels) source.labels = summary_of(*labels, *images, options);
  source.read = [arrays, options, replacements, type = source.pixel_type,
                 features = features_of(source.sample_shape)](const ImageSink& image_sink,
                                                              const LabelSink& label_sink) {
    ImageBlocks blocks(arrays.images, type, features);
    for (auto block = blocks.next(); !block.empty(); block = blocks.next()) {
      if (type == PixelType::kFloat32) {
        replace_missing({reinterpret_cast<float*>(block.data()), block.size() / sizeof(float)},
                        *replacements, arrays.images->location(), blocks.first_sample(), features);
      }
      image_sink(block);
    }
    if (arrays.labels) read_labels(*arrays.labels, options, label_sink);
  };
  return source;
}

}  // namespace

DatasetInfo import_arrays(const SplitArrays& train, const SplitArrays& test,
                          const ImportOptions& options, std::vector<std::string> class_names) {
  const auto replacements = std::make_shared<Replacements>();
  std::vector<SplitSource> splits{split_of(train, options, replacements)};
  SplitSource& first = splits.front();
  if (first.labels && first.labels->most < static_cast<std::int64_t>(class_names.size())) {
    first.class_names = std::move(class_names);
  }
  if (test.images) splits.push_back(split_of(test, options, replacements));
  if (options.missing != MissingValues::kRefused && first.pixel_type == PixelType::kFloat32) {
    if (options.missing == MissingValues::kMean && is_real(train.images->type())) {
      const TestDraw draw(options, first.count, first.images_location);
      *replacements = means_of(first, train.images, draw);
    } else {
      replacements->resize(static_cast<std::size_t>(features_of(first.sample_shape)));
    }
  }
  return write_dataset(splits, options);
}

void check_named(bool train_images, bool test_images, bool test_labels) {
  if (!train_images) throw UsageError("Cannot import: no training images are named.");
  if (!test_images && test_labels) {
    throw UsageError("Cannot import: test labels are named, but no test images.");
  }
}

}  // namespace sae
