#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "sae/data/import.hpp"
#include "source_array.hpp"

namespace sae {
namespace {

using SharedFile = std::shared_ptr<const Hdf5File>;

std::string location_of(const SharedFile& file, const std::string& array) {
  return fmt::format("{} in '{}'", array, file->path().string());
}

ElementType type_of(const SharedFile& file, const std::string& array) {
  const std::string location = location_of(file, array);
  if (!file->exists(array)) fail_import(location, "there is no such array");
  if (file->is_group(array)) {
    fail_import(location,
                file->exists(array + "/indptr")
                    ? "it is a sparse matrix, which is not read; make it dense in Python, such as "
                      "by 'adata.X = adata.X.toarray()', and write the file again"
                    : "it is a group, not an array");
  }
  return file->element_type(array);
}

std::size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return sizeof(std::uint8_t);
    case ElementType::kFloat32:
      return sizeof(float);
    default:
      return sizeof(double);  // As that of int64.
  }
}

class Hdf5Array : public SourceArray {
 public:
  Hdf5Array(SharedFile file, const std::string& name)
      : SourceArray(location_of(file, name), file->shape(name), type_of(file, name)),
        file_(std::move(file)),
        name_(name) {}

  void rewind() override { next_ = 0; }

  void read(ElementType as, std::span<std::byte> out) override {
    std::size_t row_bytes = element_bytes(as);
    for (std::size_t i = 1; i < shape().size(); ++i) {
      row_bytes *= static_cast<std::size_t>(shape()[i]);
    }
    const Range rows{next_, next_ + static_cast<Index>(out.size() / row_bytes)};
    file_->read_bytes(name_, rows, as, out);
    next_ = rows.end;
  }

 private:
  SharedFile file_;
  std::string name_;
  Index next_ = 0;
};

/// An array whose dimensions are in the reverse order, as those of MATLAB's arrays in a file.
class TransposedHdf5Array : public SourceArray {
 public:
  TransposedHdf5Array(SharedFile file, const std::string& name)
      : SourceArray(location_of(file, name), reversed(file->shape(name)), type_of(file, name)),
        file_(std::move(file)),
        name_(name) {}

  void rewind() override {
    next_ = 0;
    held_ = {0, 0};
  }

  void read(ElementType as, std::span<std::byte> out) override {
    const std::size_t element = element_bytes(as);
    Index features = 1;
    for (std::size_t i = 1; i < shape().size(); ++i) features *= shape()[i];
    const std::size_t row_bytes = static_cast<std::size_t>(features) * element;
    for (std::size_t at = 0; at < out.size(); at += row_bytes, ++next_) {
      if (!held_.contains(next_)) hold(as, features, element);
      const auto column = static_cast<std::size_t>(next_ - held_.begin);
      const auto columns = static_cast<std::size_t>(held_.size());
      for (Index i = 0; i < features; ++i) {
        const auto from = static_cast<std::size_t>(place_in_file(i)) * columns + column;
        std::memcpy(out.data() + at + static_cast<std::size_t>(i) * element,
                    block_.data() + from * element, element);
      }
    }
  }

 private:
  static constexpr std::size_t kHeldBytes = std::size_t{16} << 20;

  static std::vector<Index> reversed(std::vector<Index> shape) {
    std::ranges::reverse(shape);
    return shape;
  }

  /// Where the file has feature `i` of a sample.
  Index place_in_file(Index i) const {
    if (shape().size() < 3) return i;
    // shape() is (N, H, W) or (N, A, B, C), and the file goes through it backwards.
    Index place = 0;
    Index left = i;
    std::vector<Index> at(shape().size());
    for (std::size_t k = shape().size(); k-- > 1;) {
      at[k] = left % shape()[k];
      left /= shape()[k];
    }
    for (std::size_t k = shape().size(); k-- > 1;) place = place * shape()[k] + at[k];
    return place;
  }

  /// Reads the next samples: columns of the array as a matrix of (features, samples).
  void hold(ElementType as, Index features, std::size_t element) {
    const auto bytes = static_cast<std::size_t>(features) * element;
    const auto columns = static_cast<Index>(std::max<std::size_t>(kHeldBytes / bytes, 1));
    held_ = {next_, std::min(next_ + columns, shape().front())};
    block_.resize(bytes * static_cast<std::size_t>(held_.size()));
    file_->read_columns(name_, held_, as, block_);
  }

  SharedFile file_;
  std::string name_;
  Index next_ = 0;
  Range held_;
  std::vector<std::byte> block_;
};

std::shared_ptr<SourceArray> array_of(const SharedFile& file, const std::string& name,
                                      bool transpose) {
  if (name.empty()) return nullptr;
  type_of(file, name);  // Before anything else is asked of it.
  // One dimension is the samples in any order.
  if (transpose && file->shape(name).size() > 1) {
    return std::make_shared<TransposedHdf5Array>(file, name);
  }
  return std::make_shared<Hdf5Array>(file, name);
}

/// The names beside integers that stand for them, as AnnData writes both.
std::vector<std::string> categories_of(const SharedFile& file, const std::string& labels) {
  constexpr std::string_view kCodes = "/codes";
  if (!labels.ends_with(kCodes)) return {};
  const std::string names = labels.substr(0, labels.size() - kCodes.size()) + "/categories";
  if (!file->exists(names) || file->element_type(names) != ElementType::kOther) return {};
  return file->read_strings(names);
}

}  // namespace

DatasetInfo import_hdf5(const Hdf5Arrays& arrays, const ImportOptions& options) {
  check_named(!arrays.train_images.empty(), !arrays.test_images.empty(),
              !arrays.test_labels.empty());
  const auto file = std::make_shared<const Hdf5File>(Hdf5File::open(arrays.file));
  const auto split_of = [&](const std::string& images, const std::string& labels) {
    return SplitArrays{array_of(file, images, arrays.transpose),
                       array_of(file, labels, arrays.transpose)};
  };
  return import_arrays(split_of(arrays.train_images, arrays.train_labels),
                       split_of(arrays.test_images, arrays.test_labels), options,
                       categories_of(file, arrays.train_labels));
}

}  // namespace sae
