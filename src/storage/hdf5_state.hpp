#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hdf5_handle.hpp"
#include "sae/core/error.hpp"
#include "sae/storage/file_image.hpp"
#include "sae/storage/hdf5_file.hpp"

namespace sae {

/// What HDF5 knows of an element type; invalid identifiers where we do not write it.
struct ElementTraits {
  std::string_view name;
  hid_t in_memory;
  hid_t in_file;
  std::size_t size;  ///< Bytes.
};

ElementTraits traits_of(ElementType type);

/// What is behind Hdf5File. Data sets stay open: to open one again for each block would
/// unpack the chunk on the border of two blocks twice.
struct Hdf5File::State {
  struct Dataset {
    Hdf5Handle handle;
    std::vector<Index> shape;
    ElementType type = ElementType::kOther;
    Index row_elements() const;
    double elements() const;
  };
  struct Attribute {
    Hdf5Handle handle;
    Hdf5Handle type;
  };
  /// Rows of a data set, as HDF5 wants them named.
  struct Selection {
    Hdf5Handle in_file;
    Hdf5Handle in_memory;
  };

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  std::filesystem::path path;
  bool writable = false;
  int nested = 0;  ///< Virtual data sets on the way to this file.
  mutable bool failed = false;
  std::uint64_t file_size = 0;  ///< Of a file opened to read.
  Hdf5Handle file;
  std::map<std::string, Dataset> datasets;

  /// Throws DataError or OutputError; `fault` completes the sentence.
  [[noreturn]] void fail(const std::string& object, const std::string& fault) const;

  /// Returns `code`. Throws as fail() if it says that `call` failed.
  template <typename Code>
  Code check(Code code, const char* call, const std::string& object) const {
    if (code < 0) fail(object, fmt::format("{} failed ({})", call, last_hdf5_error()));
    return code;
  }
  Hdf5Handle own(hid_t id, const char* call, const std::string& object,
                 Hdf5Handle::Close close) const {
    return {check(id, call, object), close};
  }

  /// Throws as fail() if no file of this size can hold so much, even packed.
  void check_claim(const std::string& object, const std::vector<hsize_t>& shape,
                   std::size_t element_size) const;
  /// Lets a file that is opened with these settings live in the image alone.
  void keep_in(FileImage& image, hid_t access) const;
  /// Throws as fail() unless all its values are there and can be unpacked: with `plan`, of its
  /// creation.
  void check_present(const std::string& name, const Dataset& dataset, hid_t plan) const;
  void check_chunks(const std::string& name, const Dataset& dataset, hid_t plan) const;
  void check_sources(const std::string& name, const Dataset& dataset, hid_t plan) const;
  std::vector<Index> shape_of_source(const std::string& name, const std::string& file_name,
                                     const std::string& array) const;
  /// In the order in which they pack. Throws as fail() if one is not to be had.
  std::vector<H5Z_filter_t> filters(const std::string& name, hid_t plan) const;
  /// Opens it if it is not open yet.
  Dataset& dataset(const std::string& name);
  /// Chunks of the layout, their filters and check sums.
  void plan_chunks(const std::string& name, const DatasetLayout& layout, std::size_t row_bytes,
                   hid_t plan) const;
  /// All groups on the way to `name`.
  void create_groups(const std::string& name) const;
  /// The range of one dimension and all of the others.
  Selection select(const std::string& name, const Dataset& dataset, Range range,
                   std::size_t dimension = 0) const;
  /// An attribute of one value.
  Attribute attribute(const std::string& object, const std::string& name) const;
  /// In place of the attribute that was there.
  void write_attribute(const std::string& object, const std::string& name, hid_t type_in_file,
                       hid_t type_in_memory, const void* value) const;
};

}  // namespace sae
