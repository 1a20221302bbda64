#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "byte_source.hpp"
#include "sae/core/types.hpp"

namespace sae {

/// Reads an IDX file of unsigned bytes (the format of MNIST), plain or packed with gzip, from front
/// to back in bounded memory.
///
/// Throws: DataError naming file, byte offset and fault, from constructor, read() and finish().
class IdxReader {
 public:
  /// Reads the header and checks its shape against the size of the file, so that an item may be
  /// allocated.
  /// Throws: MissingInputError if the file does not exist or may not be read.
  explicit IdxReader(std::filesystem::path path);

  const std::filesystem::path& path() const { return source_.path(); }
  /// One to four dimensions, none 0; the first is the number of items.
  const std::vector<Index>& shape() const { return shape_; }
  Index count() const { return shape().front(); }
  /// Bytes of one item: the product of the other dimensions.
  Index item_size() const;

  /// Reads the next out.size() bytes.
  void read(std::span<std::uint8_t> out);
  /// Checks that nothing follows the last item and that the check sum of a gzipped file is right.
  void finish();

 private:
  ByteSource source_;
  std::vector<Index> shape_;
};

}  // namespace sae
