#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "csv_scan.hpp"
#include "split_source.hpp"

namespace sae {

/// What becomes of a column.
struct CsvColumn {
  enum class Kind { kIgnored, kNumber, kWords, kLabelNumber, kLabelWord };

  Kind kind = Kind::kIgnored;
  Index feature = 0;  ///< That of the number or of the first word.
  /// What stands for a number that is missing; NaN: it is refused.
  float replacement = std::numeric_limits<float>::quiet_NaN();
  std::shared_ptr<const TextMap<Index>> words;  ///< By their order.
};

/// How the rows of a table become samples. That of the training table holds for the test table.
struct CsvLayout {
  std::vector<CsvColumn> columns;  ///< Of the table.
  Index features = 0;
  std::vector<std::string> feature_names;
  std::vector<std::string> class_names;
};

/// A table that has been read once.
struct ScannedTable {
  std::shared_ptr<const CsvTable> table;
  std::vector<ColumnPlan> plan;
  TableScan scan;
  double text_bytes = 0;
};

/// Reads the training table until it is known which of its columns hold words. `test`: the test
/// table, or null.
/// Throws: DataError.
ScannedTable scan_training_table(const std::shared_ptr<const CsvTable>& table, const CsvTable* test,
                                 const CsvFiles& files, const ImportOptions& options);

/// The layout of the training table, with no replacements yet.
/// Throws: DataError naming line, column and value of what cannot become a feature or a label.
CsvLayout layout_of(const ScannedTable& train, const ImportOptions& options);

/// As scan_training_table, for the test table, which must have the columns of the training table
/// but perhaps the label, and no other words. `layout` becomes that of the test table.
ScannedTable scan_test_table(const std::shared_ptr<const CsvTable>& table, const CsvFiles& files,
                             const ImportOptions& options, const ScannedTable& train,
                             CsvLayout& layout);

/// The classes in the label column; none if there is no such column.
/// Throws: DataError naming line, column and label of what is no label.
std::optional<LabelSummary> labels_of(const ScannedTable& table, const CsvLayout& layout,
                                      const ImportOptions& options);

/// Missing values in columns of numbers or words; refuses them if the options say so.
/// Throws: DataError with the count by column.
Index count_missing(const ScannedTable& table, const ImportOptions& options);

}  // namespace sae
