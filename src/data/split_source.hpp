#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sae/data/epoch_order.hpp"
#include "sae/data/import.hpp"

namespace sae {

/// Take whole samples, and labels (-1: none), that follow one another.
using ImageSink = std::function<void(std::span<const std::byte>)>;
using LabelSink = std::function<void(std::span<const std::int64_t>)>;

/// What is known of labels before a data set is written.
struct LabelSummary {
  std::int64_t least = 0;
  std::int64_t most = -1;
};

/// The samples of one split of the input, from a file of any format.
struct SplitSource {
  std::string images_location;  ///< File and array, for messages.
  Index count = 0;
  std::vector<Index> sample_shape;  ///< (D) or (H, W).
  PixelType pixel_type = PixelType::kUint8;
  std::vector<std::string> feature_names;  ///< May be empty.
  std::vector<std::string> class_names;    ///< May be empty.
  std::optional<LabelSummary> labels;      ///< None: there are no labels. All have been checked.
  /// Gives all samples, and all labels if there are any, in their order, block by block; samples
  /// and labels in any turn.
  std::function<void(const ImageSink&, const LabelSink&)> read;
};

/// Which samples are drawn for the test split: the same for the same seed, share and count.
class TestDraw {
 public:
  /// Requires: count >= 1. Throws: DataError naming `location` if either split would be empty.
  TestDraw(const ImportOptions& options, Index count, const std::string& location);

  Index test_count() const { return test_count_; }
  bool is_test(Index sample) const {
    return test_count_ > 0 && order_.position_of(sample) < test_count_;
  }

 private:
  EpochOrder order_;
  Index test_count_;
};

/// Throws: DataError "Cannot import <location>: <fault>."
[[noreturn]] void fail_import(const std::string& location, const std::string& fault);

/// Features of a sample of this shape; kMaxFeatures + 1 if a size is 0 or there are more.
Index features_of(const std::vector<Index>& sample_shape);

/// Writes the data set of a training split and perhaps a test split.
/// Throws: UsageError, DataError, OutputError.
DatasetInfo write_dataset(const std::vector<SplitSource>& splits, const ImportOptions& options);

}  // namespace sae
