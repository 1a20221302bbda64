#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sae/storage/hdf5_file.hpp"
#include "split_source.hpp"

namespace sae {

/// An array in a file of any format, read from front to back, as often as needed.
class SourceArray {
 public:
  virtual ~SourceArray() = default;
  SourceArray(const SourceArray&) = delete;
  SourceArray& operator=(const SourceArray&) = delete;

  const std::string& location() const { return location_; }   ///< For messages.
  const std::vector<Index>& shape() const { return shape_; }  ///< Samples first.
  ElementType type() const { return type_; }

  /// The next read begins at the first sample.
  virtual void rewind() = 0;
  /// Reads the next whole samples: as uint8 if that is their type, as int64 from any integers, as
  /// float or double from any reals.
  /// Throws: DataError naming file and fault.
  virtual void read(ElementType as, std::span<std::byte> out) = 0;
  /// Checks that nothing follows the last sample and that check sums are right.
  virtual void finish() {}

 protected:
  SourceArray(std::string location, std::vector<Index> shape, ElementType type)
      : location_(std::move(location)), shape_(std::move(shape)), type_(type) {}

 private:
  std::string location_;
  std::vector<Index> shape_;
  ElementType type_;
};

/// Arrays of a split; labels may be null.
struct SplitArrays {
  std::shared_ptr<SourceArray> images;
  std::shared_ptr<SourceArray> labels;
};

/// Imports the arrays; those of the test split may be null.
/// Throws: UsageError, DataError, OutputError.
DatasetInfo import_arrays(const SplitArrays& train, const SplitArrays& test,
                          const ImportOptions& options, std::vector<std::string> class_names = {});

/// Throws: UsageError unless training images are named, and test images if test labels are.
void check_named(bool train_images, bool test_images, bool test_labels);

}  // namespace sae
