#pragma once

#include <boost/crc.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "byte_source.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "zip.hpp"

namespace sae {

/// How the elements of an array are stored.
struct NpyElement {
  enum class Kind { kBool, kUnsigned, kSigned, kReal };
  Kind kind = Kind::kBool;
  std::size_t bytes = 1;
  bool big_endian = false;
};

struct NpyHeader {
  NpyElement element;
  bool fortran_order = false;
  std::vector<Index> shape;
};

/// Reads an array of NumPy's format (versions 1 to 3) from front to back in bounded memory:
/// booleans, integers and reals of 2, 4 or 8 bytes. Throws: DataError naming file, place and fault.
class NpyReader {
 public:
  /// Reads the header and checks its shape against the size of the file, so that a sample may be
  /// allocated. `member`: of this zip archive.
  /// Throws: MissingInputError if the file does not exist or may not be read.
  explicit NpyReader(std::filesystem::path path, std::optional<ZipMember> member = {});

  const std::vector<Index>& shape() const { return header_.shape; }
  /// kUint8, kOtherInteger (also of booleans), kFloat32 (also of float16) or kFloat64.
  ElementType type() const;
  bool fortran_order() const { return header_.fortran_order; }
  /// Where the elements lie in the file as they are; none if they are packed.
  std::optional<std::uint64_t> place_in_file() const;
  const NpyElement& element() const { return header_.element; }

  /// Reads the next elements as type(), or as int64 from any integers, as float64 from any reals.
  void read(ElementType as, std::span<std::byte> out);
  /// Checks that nothing follows the last element and that check sums are right.
  void finish();

 private:
  [[noreturn]] void fail(std::uint64_t offset, const std::string& fault) const;
  void read_header();
  void read_bytes(std::span<char> out);

  ByteSource source_;
  std::optional<ZipMember> member_;
  NpyHeader header_;
  boost::crc_32_type check_sum_;
  std::vector<char> raw_;
};

/// Decodes stored elements as read() does.
void decode_npy(const NpyElement& element, std::span<const char> raw, ElementType as,
                std::span<std::byte> out);

}  // namespace sae
