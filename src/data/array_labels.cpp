#include "array_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sample_checks.hpp"

namespace sae {
namespace {

constexpr Index kLabelBlockElements = 1 << 17;
constexpr double kLargestLabel = 1e9;  // Far beyond all classes.

Index label_limit(const ImportOptions& options) {
  return options.first_label + (options.classes > 0 ? options.classes : kMaxClasses);
}

/// 0 unless the rows are one-hot.
Index one_hot_width(const SourceArray& labels) {
  return labels.shape().size() == 2 && labels.shape()[1] > 1 ? labels.shape()[1] : 0;
}

/// The number of the one among zeros; -1 if there are only zeros.
template <typename T>
std::int64_t position_of_one(const SourceArray& labels, Index sample, std::span<const T> row) {
  std::int64_t found = -1;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == T{0}) continue;
    if (row[i] != T{1} || found >= 0) {
      fail_import(labels.location(),
                  fmt::format("it has {} columns, so each row holds one 1 among zeros, but that of "
                              "sample {} holds {} in column {}",
                              row.size(), sample, row[i], i));
    }
    found = static_cast<std::int64_t>(i);
  }
  return found;
}

std::int64_t integer_of(const SourceArray& labels, Index sample, double value) {
  if (std::isnan(value)) return -1;
  if (value != std::floor(value) || std::abs(value) > kLargestLabel) {
    fail_import(labels.location(),
                fmt::format("the label of sample {} is {}, not an integer", sample, value));
  }
  return static_cast<std::int64_t>(value);
}

/// Calls `action` with first sample and classes of each block.
template <typename Action>
void for_each_label_block(SourceArray& labels, const ImportOptions& options, Action action) {
  const Index count = labels.shape().front();
  const Index width = one_hot_width(labels);
  const Index rows = std::max<Index>(kLabelBlockElements / std::max<Index>(width, 1), 1);
  const bool real = is_real(labels.type());
  std::vector<double> reals;
  std::vector<std::int64_t> values;
  std::vector<std::int64_t> classes;
  labels.rewind();
  for (Range block{0, 0}; block.end < count;) {
    block = {block.end, std::min(block.end + rows, count)};
    values.resize(static_cast<std::size_t>(block.size() * std::max<Index>(width, 1)));
    if (real) {
      reals.resize(values.size());
      labels.read(ElementType::kFloat64, std::as_writable_bytes(std::span(reals)));
    } else {
      labels.read(ElementType::kInt64, std::as_writable_bytes(std::span(values)));
    }
    classes.resize(static_cast<std::size_t>(block.size()));
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const Index sample = block.begin + static_cast<Index>(i);
      if (width > 0) {
        const auto row_width = static_cast<std::size_t>(width);
        classes[i] = real ? position_of_one<double>(labels, sample,
                                                    {reals.data() + i * row_width, row_width})
                          : position_of_one<std::int64_t>(
                                labels, sample, {values.data() + i * row_width, row_width});
      } else {
        const auto label = real ? integer_of(labels, sample, reals[i]) : values[i];
        // NaN is no label whatever the first one is.
        const bool none = real && std::isnan(reals[i]);
        const auto found = none ? std::optional<std::int64_t>(-1) : find_class(label, options);
        if (!found) fail_label(label, options, labels.location(), fmt::format("sample {}", sample));
        classes[i] = *found;
      }
    }
    action(std::span<const std::int64_t>(classes));
  }
  labels.finish();
}

void check_label_array(const SourceArray& labels, const SourceArray& images) {
  const std::vector<Index>& shape = labels.shape();
  const Index count = images.shape().front();
  if (!is_integer(labels.type()) && !is_real(labels.type())) {
    fail_import(labels.location(),
                fmt::format("its elements are {}, not numbers", name_of(labels.type())));
  }
  if (shape.empty() || shape.size() > 2 || shape.front() != count) {
    fail_import(labels.location(),
                fmt::format("it has shape ({}), but {} holds {} images{}", fmt::join(shape, ", "),
                            images.location(), count, hint_of_order(images.shape(), shape)));
  }
  if (shape.size() == 2 && (shape[1] < 1 || shape[1] > kMaxClasses)) {
    fail_import(labels.location(), fmt::format("it has shape ({}); one-hot labels have 1 to {} "
                                               "columns",
                                               fmt::join(shape, ", "), kMaxClasses));
  }
}

}  // namespace

std::optional<std::int64_t> find_class(std::int64_t label, const ImportOptions& options) {
  if (options.first_label <= label && label < label_limit(options)) {
    return label - options.first_label;
  }
  return label == -1 ? std::optional<std::int64_t>(-1) : std::nullopt;
}

void fail_label(std::int64_t label, const ImportOptions& options, const std::string& location,
                const std::string& place) {
  // Larger unsigned numbers are read as this one.
  const bool at_least = label == std::numeric_limits<std::int64_t>::max();
  fail_import(location, fmt::format("the label of {} is {}{}, not within [{}, {}), nor -1 for none",
                                    place, label, at_least ? " or more" : "", options.first_label,
                                    label_limit(options)));
}

LabelSummary summary_of(SourceArray& labels, const SourceArray& images,
                        const ImportOptions& options) {
  check_label_array(labels, images);
  const Index width = one_hot_width(labels);
  if (options.classes > 0 && width > options.classes) {
    fail_import(labels.location(), fmt::format("it has {} columns, so there are more than {} "
                                               "classes",
                                               width, options.classes));
  }
  LabelSummary summary{.least = 0, .most = width - 1};
  for_each_label_block(labels, options, [&](std::span<const std::int64_t> classes) {
    const auto [least, most] = std::ranges::minmax(classes);
    summary.least = std::min(summary.least, least);
    summary.most = std::max(summary.most, most);
  });
  return summary;
}

void read_labels(SourceArray& labels, const ImportOptions& options, const LabelSink& sink) {
  for_each_label_block(labels, options, sink);
}

}  // namespace sae
