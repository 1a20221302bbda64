// A table is read twice: first to see what its columns hold, then to write its samples.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "array_labels.hpp"
#include "csv_field.hpp"
#include "csv_layout.hpp"
#include "sae/data/import.hpp"

namespace sae {
namespace {

using Kind = CsvColumn::Kind;

constexpr double kSampleBlockBytes = 4 << 20;
constexpr double kLeastTextBytes = 4 << 10;
constexpr double kMostTextBytes = 2 << 20;

/// Makes samples of the rows of a table.
class CsvSamples {
 public:
  CsvSamples(const ScannedTable& table, const CsvLayout& layout, const ImportOptions& options)
      : table_(table.table),
        layout_(layout),
        options_(options),
        rows_(table.scan.rows),
        pixel_type_(options.height > 0 ? PixelType::kUint8 : PixelType::kFloat32),
        has_labels_(std::ranges::any_of(layout.columns, [](const CsvColumn& column) {
          return column.kind == Kind::kLabelNumber || column.kind == Kind::kLabelWord;
        })) {
    const double text = table.text_bytes / static_cast<double>(rows_);
    const double share = text / static_cast<double>(sample_bytes());
    block_bytes_ = static_cast<std::size_t>(
        std::clamp(kSampleBlockBytes * share, kLeastTextBytes, kMostTextBytes));
  }

  /// Missing numbers without a replacement become NaN rather than being refused.
  void allow_missing() { allows_missing_ = true; }

  void read(const ImageSink& images, const LabelSink& labels) const {
    Index rows = 0;
    const auto parse = [&](CsvRows& from) -> CsvTable::Turn {
      const auto block = std::make_shared<Block>();
      parse_block(from, *block);
      return [&, block] {
        rows += block->rows;
        if (rows > rows_) fail_changed();
        images(block->images);
        if (has_labels_) labels(block->labels);
      };
    };
    table_->read_rows(block_bytes_, parse);
    if (rows != rows_) fail_changed();
  }

  PixelType pixel_type() const { return pixel_type_; }

 private:
  struct Block {
    Index rows = 0;
    std::vector<std::byte> images;
    std::vector<std::int64_t> labels;
  };

  std::size_t sample_bytes() const {
    return static_cast<std::size_t>(layout_.features) * bytes_per_pixel(pixel_type_);
  }
  [[noreturn]] void fail_changed() const {
    fail_import(table_->location(), "it changes while it is read");
  }
  [[noreturn]] void fail_field(const CsvRows& row, std::size_t column,
                               const std::string& fault) const {
    constexpr std::size_t kMostShown = 60;
    fail_at_line(table_->location(), row.line(),
                 fmt::format("{}: '{}' {}", table_->place(column),
                             row.fields()[column].substr(0, kMostShown), fault));
  }

  void parse_block(CsvRows& rows, Block& block) const {
    std::vector<float> sample(static_cast<std::size_t>(layout_.features));
    while (rows.next()) {
      ++block.rows;
      for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
        const CsvColumn& column = layout_.columns[i];
        const std::string_view field = rows.fields()[i];
        float* const value = sample.data() + column.feature;
        switch (column.kind) {
          case Kind::kIgnored:
            break;
          case Kind::kNumber:
            *value = number_of(rows, i, field, column);
            break;
          case Kind::kWords:
            std::fill_n(value, column.words->size(), 0.0f);
            if (const auto word = word_of(rows, i, field, column); word >= 0) value[word] = 1;
            break;
          case Kind::kLabelNumber:
            block.labels.push_back(label_of(rows, i, field));
            break;
          case Kind::kLabelWord:
            block.labels.push_back(word_of(rows, i, field, column));
            break;
        }
      }
      append_sample(rows, sample, block.images);
    }
  }

  void append_sample(const CsvRows& rows, const std::vector<float>& sample,
                     std::vector<std::byte>& images) const {
    const std::size_t before = images.size();
    images.resize(before + sample_bytes());
    if (pixel_type_ == PixelType::kFloat32) {
      std::memcpy(images.data() + before, sample.data(), sample_bytes());
      return;
    }
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const float value = sample[i];
      if (!(0 <= value && value <= 255) || value != std::floor(value)) {
        fail_pixel(rows, i);
      }
      images[before + i] = static_cast<std::byte>(value);
    }
  }

  [[noreturn]] void fail_pixel(const CsvRows& rows, std::size_t feature) const {
    for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
      const CsvColumn& column = layout_.columns[i];
      if (column.kind == Kind::kNumber && column.feature == static_cast<Index>(feature)) {
        fail_field(rows, i, "is no pixel, an integer within [0, 255]");
      }
    }
    fail_changed();
  }

  float number_of(const CsvRows& rows, std::size_t i, std::string_view field,
                  const CsvColumn& column) const {
    if (float value = 0; parse_plain_float(field, value)) return value;
    switch (kind_of_field(field)) {
      case FieldKind::kMissing:
        if (std::isnan(column.replacement) && !allows_missing_) {
          fail_field(rows, i, "is a missing value");
        }
        return column.replacement;
      case FieldKind::kNumber:
        if (const auto number = float_of_field(field)) return *number;
        fail_field(rows, i, "is beyond the range of float32");
      case FieldKind::kInfinite:
        fail_field(rows, i, "is not a finite number");
      case FieldKind::kWord:
        break;
    }
    fail_field(rows, i, "is not a number");
  }

  /// -1 if the word is missing.
  std::int64_t word_of(const CsvRows& rows, std::size_t i, std::string_view field,
                       const CsvColumn& column) const {
    if (const auto found = column.words->find(field); found != column.words->end()) {
      return found->second;
    }
    if (kind_of_field(field) == FieldKind::kMissing) return -1;
    fail_field(rows, i, "is not among the words of the training table");
  }

  std::int64_t label_of(const CsvRows& rows, std::size_t i, std::string_view field) const {
    const FieldKind kind = kind_of_field(field);
    if (kind == FieldKind::kMissing) return -1;
    const auto number = kind == FieldKind::kNumber ? double_of_field(field) : std::nullopt;
    if (!number) fail_field(rows, i, "is no label");
    const auto label = static_cast<std::int64_t>(*number);
    const auto found = find_class(label, options_);
    if (found) return *found;
    fail_label(label, options_, table_->location(),
               fmt::format("line {} in {}", rows.line(), table_->place(i)));
  }

  std::shared_ptr<const CsvTable> table_;
  CsvLayout layout_;
  ImportOptions options_;
  Index rows_;
  PixelType pixel_type_;
  bool has_labels_;
  bool allows_missing_ = false;
  std::size_t block_bytes_ = 0;
};

/// The mean of each feature over the training samples that have it.
std::vector<float> means_of_table(const ScannedTable& train, const CsvLayout& layout,
                                  const ImportOptions& options) {
  CsvSamples samples(train, layout, options);
  samples.allow_missing();
  const auto features = static_cast<std::size_t>(layout.features);
  const TestDraw draw(options, train.scan.rows, train.table->location());
  std::vector<double> sums(features);
  std::vector<Index> counts(features);
  Index sample = 0;
  samples.read(
      [&](std::span<const std::byte> images) {
        const auto* value = reinterpret_cast<const float*>(images.data());
        const auto* const end = value + images.size() / sizeof(float);
        for (; value != end; value += features, ++sample) {
          if (draw.is_test(sample)) continue;
          for (std::size_t i = 0; i < features; ++i) {
            if (std::isnan(value[i])) continue;
            sums[i] += static_cast<double>(value[i]);
            ++counts[i];
          }
        }
      },
      [](std::span<const std::int64_t>) {});
  std::vector<float> means(features);
  for (std::size_t i = 0; i < features; ++i) {
    means[i] = static_cast<float>(sums[i] / static_cast<double>(counts[i]));  // NaN of none.
  }
  return means;
}

void set_replacements(const ScannedTable& train, CsvLayout& layout, const ImportOptions& options) {
  std::vector<float> values(static_cast<std::size_t>(layout.features));
  if (options.missing == MissingValues::kMean) {
    if (options.height > 0) {
      fail_import(train.table->location(),
                  "values are missing, and a mean is no pixel; --missing zero is one");
    }
    values = means_of_table(train, layout, options);
  }
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    CsvColumn& column = layout.columns[i];
    if (column.kind != Kind::kNumber) continue;
    column.replacement = values[static_cast<std::size_t>(column.feature)];
    if (std::isnan(column.replacement)) {
      fail_import(train.table->location(),
                  fmt::format("its {} has no value in any training sample, so that it has no mean; "
                              "--ignore leaves it out",
                              train.table->place(i)));
    }
  }
}

SplitSource source_of(const ScannedTable& table, const CsvLayout& layout,
                      const ImportOptions& options) {
  SplitSource source;
  source.images_location = table.table->location();
  source.count = table.scan.rows;
  source.sample_shape = {layout.features};
  if (options.height > 0) source.sample_shape = {options.height, options.width};
  source.feature_names = layout.feature_names;
  source.class_names = layout.class_names;
  source.labels = labels_of(table, layout, options);
  const auto samples = std::make_shared<const CsvSamples>(table, layout, options);
  source.pixel_type = samples->pixel_type();
  source.read = [samples](const ImageSink& images, const LabelSink& labels) {
    samples->read(images, labels);
  };
  return source;
}

/// The scans are the first part of the work.
ImportOptions with_progress_of_writing(ImportOptions options) {
  constexpr double kShareOfScans = 0.4;
  if (options.progress) {
    options.progress = [show = options.progress](double share) {
      show(kShareOfScans + (1 - kShareOfScans) * share);
    };
  }
  return options;
}

}  // namespace

DatasetInfo import_csv(const CsvFiles& files, const ImportOptions& options) {
  const auto train_table = std::make_shared<const CsvTable>(files.train, files);
  std::shared_ptr<const CsvTable> test_table;
  if (!files.test.empty()) test_table = std::make_shared<const CsvTable>(files.test, files);

  const ScannedTable train = scan_training_table(train_table, test_table.get(), files, options);
  CsvLayout layout = layout_of(train, options);
  CsvLayout test_layout = layout;
  ScannedTable test;
  Index missing = count_missing(train, options);
  if (test_table) {
    test = scan_test_table(test_table, files, options, train, test_layout);
    missing += count_missing(test, options);
  }
  if (missing > 0) {
    set_replacements(train, layout, options);
    for (CsvColumn& column : test_layout.columns) {
      const auto same = std::ranges::find_if(layout.columns, [&](const CsvColumn& of_train) {
        return of_train.kind == Kind::kNumber && of_train.feature == column.feature;
      });
      if (column.kind == Kind::kNumber) column.replacement = same->replacement;
    }
  }
  std::vector<SplitSource> splits{source_of(train, layout, options)};
  if (test_table) splits.push_back(source_of(test, test_layout, options));
  return write_dataset(splits, with_progress_of_writing(options));
}

}  // namespace sae
