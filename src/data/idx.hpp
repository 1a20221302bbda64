#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// Reads an IDX file of unsigned bytes (the format of MNIST) from front to back
/// in bounded memory. A file packed with gzip is recognised by its content.
///
/// Throws: DataError naming file, place and fault from every function but the
/// plain queries.
class IdxReader {
 public:
  /// Reads the header and compares its claim with the size of the file, so that memory
  /// for an item may be taken.
  /// Throws: MissingInputError if there is no such file or it may not be read.
  explicit IdxReader(std::filesystem::path path);
  IdxReader(IdxReader&&) noexcept;
  IdxReader& operator=(IdxReader&&) noexcept;
  ~IdxReader();

  const std::filesystem::path& path() const;
  /// One to four dimensions, none of them 0; the first counts the items.
  const std::vector<Index>& shape() const;
  Index count() const { return shape().front(); }
  /// Bytes of one item: the product of the other dimensions.
  Index item_size() const;

  /// The next out.size() bytes.
  void read(std::span<std::uint8_t> out);
  /// To be called after the last item: nothing may follow it, and the check sum of
  /// a packed file must be right.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sae
