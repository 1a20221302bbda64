#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "csv_table.hpp"

namespace sae {

/// Hash of texts that are looked up without a copy.
struct TextHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): a name of the library
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

inline constexpr std::size_t kMostWords = 1000;  ///< Of a column that becomes features.

/// A field that a message names.
struct FieldPlace {
  Index line = 0;  ///< 0: there is none.
  std::string text;
};

/// What few columns have.
struct ColumnDetails {
  FieldPlace infinite;  ///< The first.
  FieldPlace word;      ///< The first that is no number.
  /// The line in which each word stands first; numbers are words where the plan says so.
  TextMap<Index> words;
  FieldPlace too_many;  ///< The first word beyond the limit.

  // Of the label alone.
  FieldPlace fraction;  ///< The first number that is no integer.
  std::int64_t least = std::numeric_limits<std::int64_t>::max();  ///< Integer.
  std::int64_t most = std::numeric_limits<std::int64_t>::min();
  FieldPlace least_place;
  FieldPlace most_place;
  bool only_signs = true;  ///< The numbers are -1 and 1.
};

/// What a column holds. A table may have millions of them.
struct ColumnScan {
  Index numbers = 0;
  Index missing = 0;
  Index first_missing = 0;                 ///< Line.
  std::unique_ptr<ColumnDetails> details;  ///< Null: all are as in an empty one.

  ColumnDetails& edit_details() {
    if (!details) details = std::make_unique<ColumnDetails>();
    return *details;
  }
  const ColumnDetails& get_details() const;
};

/// How a column is scanned.
struct ColumnPlan {
  enum class Role { kIgnored, kFeature, kLabel };
  Role role = Role::kFeature;
  bool all_are_words = false;  ///< Also numbers.
};

struct TableScan {
  std::vector<ColumnScan> columns;
  Index rows = 0;
};

/// Reads the whole table.
/// Throws: DataError naming line and fault if a row cannot be read.
TableScan scan_table(const CsvTable& table, const std::vector<ColumnPlan>& plan,
                     const std::function<void(std::size_t)>& progress);

}  // namespace sae
