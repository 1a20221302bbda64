#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "byte_source.hpp"
#include "csv_reader.hpp"
#include "sae/data/import.hpp"

namespace sae {

/// Whether the first of these rows is a header: a column has a word in it and a number in the
/// second row, or it holds words only, and none of them twice.
bool is_header(const std::vector<std::string>& first, const std::vector<std::string>& second);

/// A file with a table as text.
class CsvTable {
 public:
  /// Reads the first rows, from which it recognises what the options leave open.
  /// Throws: MissingInputError, DataError naming the line and the fault.
  CsvTable(const std::filesystem::path& path, const CsvFiles& options);

  const CsvDialect& dialect() const { return dialect_; }
  const std::string& location() const { return dialect_.location; }
  std::size_t columns() const { return names_.size(); }
  bool has_header() const { return has_header_; }
  /// The name in the header, else the number from 1.
  const std::string& name(std::size_t column) const { return names_[column]; }
  /// "column 'name'" or "column 3".
  std::string place(std::size_t column) const;
  /// The column of this name, else of this number from 1.
  /// Throws: DataError if there is none.
  std::size_t find(const std::string& name_or_number) const;

  /// What is to be done with the rows of a block once it is its turn.
  using Turn = std::function<void()>;

  /// Reads the rows behind the header in blocks of about so many bytes: calls `parse` for several
  /// blocks at a time, and what it returns in their order. `progress` gets the bytes that are done.
  /// Throws: what either throws, for the first of the blocks.
  void read_rows(std::size_t block_bytes, const std::function<Turn(CsvRows&)>& parse,
                 const std::function<void(std::size_t)>& progress = {}) const;

  /// Bytes of the file, perhaps packed.
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  bool packed() const { return packed_; }

 private:
  void read_first_rows(const CsvFiles& options);
  void check_names() const;

  std::filesystem::path path_;
  CsvDialect dialect_;
  std::uint64_t stored_bytes_ = 0;
  bool packed_ = false;
  bool has_header_ = false;
  std::vector<std::string> names_;
};

}  // namespace sae
