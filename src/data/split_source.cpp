// The one place where imports write: whatever the format, a data set is made of SplitSources.

#include "split_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sae/core/error.hpp"

namespace sae {
namespace {

constexpr Index kMostDrawn = Index{1} << 32;  // A limit of EpochOrder.

Index drawn_count(const ImportOptions& options, Index count, const std::string& location) {
  if (options.test_share == 0) return 0;
  if (count > kMostDrawn) fail_import(location, "it holds more than 2^32 samples to draw from");
  const auto drawn = std::llround(options.test_share * static_cast<double>(count));
  if (drawn < 1 || drawn >= count) {
    fail_import(location, fmt::format("of its {} samples a share of {} leaves one of training and "
                                      "test split empty",
                                      count, options.test_share));
  }
  return drawn;
}

void check_options(const ImportOptions& options) {
  if (options.classes < 0 || options.classes > kMaxClasses) {
    throw UsageError(fmt::format("The number of classes is {}, not within [0, {}].",
                                 options.classes, kMaxClasses));
  }
}

void check_alike(const SplitSource& train, const SplitSource& test) {
  if (test.sample_shape != train.sample_shape) {
    fail_import(test.images_location,
                fmt::format("its samples have shape ({}), those of {} ({})",
                            fmt::join(test.sample_shape, ", "), train.images_location,
                            fmt::join(train.sample_shape, ", ")));
  }
  if (test.pixel_type != train.pixel_type) {
    fail_import(
        test.images_location,
        fmt::format("one of it and {} holds uint8 and the other reals", train.images_location));
  }
}

DatasetInfo info_of(const std::vector<SplitSource>& splits, Index test_count,
                    const ImportOptions& options) {
  const SplitSource& train = splits.front();
  const SplitSource& last = splits.back();
  DatasetInfo info;
  info.name = options.name.empty() ? options.output.stem().string() : options.name;
  info.source = options.source;
  info.license = options.license;
  info.features = features_of(train.sample_shape);
  if (train.sample_shape.size() == 2) {
    info.height = train.sample_shape[0];
    info.width = train.sample_shape[1];
  }
  info.feature_names = train.feature_names;
  info.class_names = train.class_names;
  info.pixel_type = train.pixel_type;
  info.train_count = train.count - (splits.size() > 1 ? 0 : test_count);
  info.test_count = test_count;
  info.has_train_labels = train.labels.has_value();
  info.has_test_labels = test_count > 0 && last.labels.has_value();
  info.classes = std::max<Index>(options.classes, static_cast<Index>(info.class_names.size()));
  for (const SplitSource& split : splits) {
    if (!split.labels) continue;
    info.classes = std::max<Index>({info.classes, split.labels->most + 1, 1});
    info.lacks_labels |= split.labels->least < 0;
  }
  const auto names = static_cast<Index>(info.class_names.size());
  if (names > 0 && options.classes > 0 && options.classes != names) {
    fail_import(train.images_location,
                fmt::format("its labels have {} names, so there are not {} classes", names,
                            options.classes));
  }
  if (names != info.classes) info.class_names.clear();  // Labels of the test split have none.
  return info;
}

/// Splits samples over training and test split as the draw says, and writes them.
class DrawingWriter {
 public:
  DrawingWriter(DatasetWriter& writer, const TestDraw& draw, std::size_t bytes_per_sample)
      : writer_(writer), draw_(draw), sample_bytes_(bytes_per_sample) {}

  void write_images(std::span<const std::byte> images) {
    write(images, sample_bytes_, images_, [this](Split split, std::span<const std::byte> part) {
      writer_.append_images(split, part);
    });
  }
  void write_labels(std::span<const std::uint16_t> labels) {
    write(labels, 1, labels_, [this](Split split, std::span<const std::uint16_t> part) {
      writer_.append_labels(split, part);
    });
  }

 private:
  template <typename T>
  struct Parts {
    Index next = 0;  ///< Sample.
    std::vector<T> train;
    std::vector<T> test;
  };

  template <typename T, typename Append>
  void write(std::span<const T> values, std::size_t per_sample, Parts<T>& parts,
             const Append& append) {
    parts.train.clear();
    parts.test.clear();
    for (std::size_t at = 0; at < values.size(); at += per_sample) {
      std::vector<T>& part = draw_.is_test(parts.next++) ? parts.test : parts.train;
      const auto sample = values.subspan(at, per_sample);
      part.insert(part.end(), sample.begin(), sample.end());
    }
    append(Split::kTrain, parts.train);
    append(Split::kTest, parts.test);
  }

  DatasetWriter& writer_;
  const TestDraw& draw_;
  std::size_t sample_bytes_;
  Parts<std::byte> images_;
  Parts<std::uint16_t> labels_;
};

std::vector<std::uint16_t> narrow(std::span<const std::int64_t> labels) {
  std::vector<std::uint16_t> result(labels.size());
  std::transform(labels.begin(), labels.end(), result.begin(), [](std::int64_t label) {
    return label < 0 ? kNoLabel : static_cast<std::uint16_t>(label);
  });
  return result;
}

}  // namespace

TestDraw::TestDraw(const ImportOptions& options, Index count, const std::string& location)
    : order_(options.seed, 0, 0, std::min(count, kMostDrawn)),
      test_count_(drawn_count(options, count, location)) {}

void fail_import(const std::string& location, const std::string& fault) {
  throw DataError(fmt::format("Cannot import {}: {}.", location, fault));
}

Index features_of(const std::vector<Index>& sample_shape) {
  Index result = 1;
  for (const Index size : sample_shape) {
    result = size > 0 && size <= kMaxFeatures / result ? result * size : kMaxFeatures + 1;
    if (result > kMaxFeatures) break;
  }
  return result;
}

DatasetInfo write_dataset(const std::vector<SplitSource>& splits, const ImportOptions& options) {
  check_options(options);
  const SplitSource& train = splits.front();
  check_alike(train, splits.back());
  const bool two = splits.size() > 1;
  const TestDraw draw(two ? ImportOptions{} : options, train.count, train.images_location);
  DatasetInfo info = info_of(splits, two ? splits.back().count : draw.test_count(), options);

  double total = static_cast<double>(train.count + (two ? info.test_count : 0));
  double done = 0;
  const auto report = [&](std::size_t bytes) {
    done += static_cast<double>(bytes) / static_cast<double>(info.bytes_per_sample());
    if (options.progress) options.progress(done / total);
  };
  DatasetWriter writer(options.output, info);
  if (draw.test_count() > 0) {
    DrawingWriter drawing(writer, draw, info.bytes_per_sample());
    train.read(
        [&](std::span<const std::byte> images) {
          drawing.write_images(images);
          report(images.size());
        },
        [&](std::span<const std::int64_t> labels) { drawing.write_labels(narrow(labels)); });
  } else {
    for (const SplitSource& source : splits) {
      const Split split = &source == &train ? Split::kTrain : Split::kTest;
      source.read(
          [&](std::span<const std::byte> images) {
            writer.append_images(split, images);
            report(images.size());
          },
          [&](std::span<const std::int64_t> labels) {
            writer.append_labels(split, narrow(labels));
          });
    }
  }
  writer.finish();
  return info;
}

}  // namespace sae
