#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sae/core/types.hpp"
#include "sae/storage/file_image.hpp"

namespace sae {

/// What a data set stores. The named integers are those we write ourselves.
enum class ElementType { kUint8, kUint16, kInt64, kOtherInteger, kFloat32, kFloat64, kOther };

bool is_integer(ElementType type);
bool is_real(ElementType type);
/// The name as users know it: "uint8", "float32", "another integer type".
std::string_view name_of(ElementType type);

/// Of the library in use, such as "1.10.8".
std::string hdf5_version();

/// How a data set is laid out in a file that is written block by block.
struct DatasetLayout {
  std::vector<Index> shape;  ///< Rows first. At least one dimension.
  bool extendable = false;   ///< Rows may be added past shape[0].
  Index chunk_rows = 0;      ///< 0: so many that a chunk is about 256 KiB.
  bool shuffle = false;      ///< Bytes of equal weight together: smaller for wide elements.
  bool contiguous = false;   ///< One block without check sums; the rest is for chunks.
  int deflate_level = 0;     ///< 0: not compressed; 9: smallest.
};

/// An open HDF5 file. Names are full paths such as "/train/images"; the first
/// dimension of a data set is its rows. Chunks that are written carry Fletcher32
/// check sums, and nothing carries times: the same calls give the same bytes. Files
/// are not locked, since they are published by rename and many file systems of
/// clusters have no locks.
///
/// Failures throw DataError for a file opened to read and OutputError for one
/// that is written; both name file, data set and fault. Damage to the samples is found
/// by their check sums; damage to HDF5's own tables is found as far as HDF5 looks.
/// Requires: one thread at a time, over all files of the process.
class Hdf5File {
 public:
  /// Throws: MissingInputError if there is no such file or it may not be read,
  /// DataError if it is damaged or not an HDF5 file; that message ends with `hint`.
  static Hdf5File open(const std::filesystem::path& path, std::string_view hint = {});

  /// An empty file in place of what was there.
  static Hdf5File create(const std::filesystem::path& path);

  /// As create, in memory: after close() the image holds the bytes of the file, in place of what it
  /// held. It must outlive the file. `path` is for messages. `user_block` bytes at its begin are
  /// left to the caller: 0, or a power of two from 512 on.
  static Hdf5File create_image(FileImage& image, const std::filesystem::path& path,
                               Index user_block = 0);

  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;
  ~Hdf5File();

  const std::filesystem::path& path() const;

  /// Whether `name` leads to a data set or group.
  bool exists(const std::string& name) const;
  /// Requires: it exists.
  bool is_group(const std::string& name) const;
  /// Of a file opened to read, the claim has been compared with the size of the
  /// file, so that memory for it may be taken.
  std::vector<Index> shape(const std::string& name) const;
  ElementType element_type(const std::string& name) const;
  /// Whether check sums tell damage to the rows and to the tables that lead to them.
  bool has_check_sums(const std::string& name) const;
  /// Rows that are packed together; 1 if each stands for itself.
  Index chunk_rows(const std::string& name) const;
  /// Whether the rows follow one another in the file as they are.
  bool is_contiguous(const std::string& name) const;

  /// Rows [rows.begin, rows.end), one after the other. T is uint8 for data sets of
  /// uint8, int64 for any integers, float or double for any reals.
  /// Requires: `out` has the size of the rows.
  /// Throws: DataError also if the range is not in the data set or the stored type
  /// cannot become T.
  template <typename T>
  void read_rows(const std::string& name, Range rows, std::span<T> out) const {
    read_bytes(name, rows, element_of<T>(), std::as_writable_bytes(out));
  }
  /// As read_rows, into bytes of any alignment.
  void read_bytes(const std::string& name, Range rows, ElementType as,
                  std::span<std::byte> out) const;
  /// As read_bytes, for the range of the last dimension and all of the others.
  void read_columns(const std::string& name, Range columns, ElementType as,
                    std::span<std::byte> out) const;

  /// Writes a whole data set as one block without check sums, of shape `shape`. Groups on the way
  /// are made.
  template <typename T>
  void write(const std::string& name, const std::vector<Index>& shape, std::span<const T> values) {
    create_dataset(name, element_of<T>(), {.shape = shape, .contiguous = true});
    write_rows(name, 0, values);
  }
  void create_dataset(const std::string& name, ElementType type, const DatasetLayout& layout);
  /// Writes whole rows from row `begin` on; an extendable data set grows as needed.
  template <typename T>
  void write_rows(const std::string& name, Index begin, std::span<const T> values) {
    write_bytes(name, begin, element_of<T>(), std::as_bytes(values));
  }
  void write_bytes(const std::string& name, Index begin, ElementType as,
                   std::span<const std::byte> values);

  /// Lists of texts: data sets of one dimension. UTF-8 without NUL, stored with the length of the
  /// longest, read with any length.
  std::vector<std::string> read_strings(const std::string& name) const;
  void write_strings(const std::string& name, const std::vector<std::string>& values);

  /// Attributes of a group or data set; "/" is the file itself. Strings are UTF-8
  /// without NUL, stored with variable length, read also with fixed length.
  bool has_attribute(const std::string& object, const std::string& name) const;
  std::string read_string(const std::string& object, const std::string& name) const;
  std::int64_t read_integer(const std::string& object, const std::string& name) const;
  double read_real(const std::string& object, const std::string& name) const;
  void write_string(const std::string& object, const std::string& name, const std::string& value);
  void write_integer(const std::string& object, const std::string& name, std::int64_t value);
  void write_real(const std::string& object, const std::string& name, double value);

  /// Hands all that was written to the operating system. To be called before a
  /// written file is published: the destructor cannot tell that the disk is full.
  void close();

 private:
  struct State;
  explicit Hdf5File(std::unique_ptr<State> state);
  static Hdf5File create(const std::filesystem::path& path, Index user_block, FileImage* image);

  template <typename T>
  static constexpr ElementType element_of() {
    if constexpr (std::is_same_v<T, std::uint8_t>) return ElementType::kUint8;
    if constexpr (std::is_same_v<T, std::uint16_t>) return ElementType::kUint16;
    if constexpr (std::is_same_v<T, std::int64_t>) return ElementType::kInt64;
    if constexpr (std::is_same_v<T, float>) return ElementType::kFloat32;
    if constexpr (std::is_same_v<T, double>) return ElementType::kFloat64;
    return ElementType::kOther;
  }

  std::unique_ptr<State> state_;
};

}  // namespace sae
