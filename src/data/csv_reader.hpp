#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// Reads bytes until the span is full or the text ends; returns how many.
using ReadText = std::function<std::size_t(std::span<char>)>;

/// Throws: DataError "Cannot import <location>: line <line><, place>: <fault>."
[[noreturn]] void fail_at_line(const std::string& location, Index line, const std::string& fault);

/// How a table is written as text.
struct CsvDialect {
  std::string location;  ///< The file, for messages.
  char separator = ',';  ///< A blank stands for one or more of them.
};

/// The separator of the text that a table begins with: of tab, semicolon, bar, comma and blank the
/// first that cuts its first rows into equally many fields, two or more; else a comma.
char recognise_separator(std::string_view begin);

/// Some whole rows.
struct CsvBlock {
  std::vector<char> text;  ///< Ends with a line feed.
  Index first_line = 1;    ///< Counted from 1.
};

/// Cuts a text into blocks of whole rows, in memory that only the longest row and the size of
/// blocks bound. Passes over a byte order mark.
class CsvBlockReader {
 public:
  CsvBlockReader(const CsvDialect& dialect, ReadText read_text, std::size_t block_bytes);

  /// The next rows; false after the last.
  /// Throws: DataError naming the line if a quote is not closed, a row is too long, or there is a
  /// NUL byte.
  bool next(CsvBlock& block);

 private:
  void fill(std::vector<char>& text, std::size_t bytes);
  std::size_t whole_rows(std::span<const char> text) const;
  [[noreturn]] void fail_unfinished(std::span<const char> text) const;

  CsvDialect dialect_;
  ReadText read_text_;
  std::size_t block_bytes_;
  std::vector<char> rest_;  ///< Read, but not a whole row yet.
  Index line_ = 1;
  bool at_end_ = false;
  bool begun_ = false;
};

/// The rows of a block, which passes over empty lines. Fields are without the blanks around them,
/// and those in quotes (RFC 4180) without the quotes.
class CsvRows {
 public:
  static constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

  /// Fields point into the block, which is changed where quotes are doubled. All rows have `fields`
  /// fields.
  CsvRows(CsvBlock& block, const CsvDialect& dialect, std::size_t fields = kAnyNumber);

  /// False after the last row.
  /// Throws: DataError naming the line if the row has another number of fields, or text follows a
  /// closing quote.
  bool next();

  std::span<const std::string_view> fields() const { return fields_; }
  Index line() const { return row_line_; }  ///< In which the row begins.

 private:
  bool pass_empty_lines();
  char* read_quoted(char* at);

  const CsvDialect& dialect_;
  std::size_t expected_;
  char* at_;
  char* end_;
  Index line_;
  Index row_line_ = 0;
  std::vector<std::string_view> fields_;
};

}  // namespace sae
