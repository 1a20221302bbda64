#include <fmt/format.h>

#include "idx.hpp"
#include "sae/data/import.hpp"
#include "source_array.hpp"

namespace sae {
namespace {

class IdxArray : public SourceArray {
 public:
  explicit IdxArray(IdxReader reader)
      : SourceArray(fmt::format("'{}'", reader.path().string()), reader.shape(),
                    ElementType::kUint8),
        reader_(std::move(reader)) {}

  void rewind() override { reader_ = IdxReader(reader_.path()); }

  void read(ElementType as, std::span<std::byte> out) override {
    if (as == ElementType::kUint8) {
      reader_.read({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
      return;
    }
    bytes_.resize(out.size() / sizeof(std::int64_t));
    reader_.read(bytes_);
    std::copy(bytes_.begin(), bytes_.end(), reinterpret_cast<std::int64_t*>(out.data()));
  }

  void finish() override { reader_.finish(); }

 private:
  IdxReader reader_;
  std::vector<std::uint8_t> bytes_;
};

SplitArrays idx_arrays(const std::filesystem::path& images, const std::filesystem::path& labels) {
  SplitArrays arrays;
  if (!images.empty()) arrays.images = std::make_shared<IdxArray>(IdxReader(images));
  if (!labels.empty()) arrays.labels = std::make_shared<IdxArray>(IdxReader(labels));
  return arrays;
}

}  // namespace

DatasetInfo import_idx(const IdxFiles& files, const ImportOptions& options) {
  check_named(!files.train_images.empty(), !files.test_images.empty(), !files.test_labels.empty());
  return import_arrays(idx_arrays(files.train_images, files.train_labels),
                       idx_arrays(files.test_images, files.test_labels), options);
}

}  // namespace sae
