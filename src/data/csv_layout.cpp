#include "csv_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "array_labels.hpp"
#include "csv_field.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

using Role = ColumnPlan::Role;
using Kind = CsvColumn::Kind;

constexpr std::size_t kMostWordBytes = 1000;
constexpr std::size_t kMostShown = 60;  ///< Bytes of a value in a message.
constexpr std::size_t kMostColumnsListed = 12;

[[noreturn]] void fail_at_field(const CsvTable& table, std::size_t column, const FieldPlace& place,
                                const std::string& fault) {
  fail_at_line(
      table.location(), place.line,
      fmt::format("{}: '{}' {}", table.place(column), place.text.substr(0, kMostShown), fault));
}

bool has_name(const CsvTable& table, const std::string& name) {
  for (std::size_t i = 0; i < table.columns(); ++i) {
    if (table.has_header() && table.name(i) == name) return true;
  }
  return false;
}

/// The plan that the options make without a look at the rows.
std::vector<ColumnPlan> first_plan(const CsvTable& table, const CsvFiles& files,
                                   const CsvTable* test) {
  std::vector<ColumnPlan> plan(table.columns());
  for (const std::string& ignored : files.ignore) {
    // A column that the test table alone has may be left out as well.
    if (test != nullptr && !has_name(table, ignored) && has_name(*test, ignored)) continue;
    plan[table.find(ignored)].role = Role::kIgnored;
  }
  if (!files.label.empty()) {
    ColumnPlan& label = plan[table.find(files.label)];
    if (label.role == Role::kIgnored) {
      fail_import(table.location(),
                  fmt::format("its column '{}' is both the label and left out", files.label));
    }
    label.role = Role::kLabel;
  }
  return plan;
}

ScannedTable scan(const std::shared_ptr<const CsvTable>& table, std::vector<ColumnPlan> plan,
                  const ImportOptions& options) {
  ScannedTable result{.table = table, .plan = std::move(plan), .scan = {}, .text_bytes = 0};
  constexpr double kShareOfScan = 0.4;
  result.scan = scan_table(*table, result.plan, [&](std::size_t bytes) {
    result.text_bytes += static_cast<double>(bytes);
    const double whole = static_cast<double>(table->stored_bytes());
    if (options.progress && !table->packed()) {
      options.progress(kShareOfScan * result.text_bytes / whole);
    }
  });
  if (result.scan.rows == 0) fail_import(table->location(), "it holds no rows");
  return result;
}

/// Whether numbers in the column are words as well, as others in it are.
bool numbers_are_words(const ColumnScan& column, const ColumnPlan& plan,
                       const ImportOptions& options) {
  const ColumnDetails& details = column.get_details();
  if (plan.role == Role::kFeature) {
    return details.word.line > 0 && (column.numbers > 0 || details.infinite.line > 0);
  }
  if (plan.role != Role::kLabel) return false;
  // -1 and 1 are two classes, and not one beside samples that have no label.
  const bool signs = details.only_signs && details.least == -1 && details.most == 1;
  return details.word.line > 0 || details.fraction.line > 0 || details.infinite.line > 0 ||
         (signs && options.first_label == 0);
}

void check_words(const CsvTable& table, std::size_t column, const ScannedTable& scanned) {
  const ColumnScan& scan = scanned.scan.columns[column];
  const ColumnDetails& details = scan.get_details();
  if (details.too_many.line > 0) {
    const Index most =
        scanned.plan[column].role == Role::kLabel ? kMaxClasses : static_cast<Index>(kMostWords);
    if (scan.numbers > 0 && details.word.line > 0) {
      fail_at_field(table, column, details.word,
                    fmt::format("is not a number, and the column has more than {} different "
                                "values, too many for words; correct it, or leave the column out "
                                "by --ignore",
                                grouped(most)));
    }
    fail_at_field(table, column, details.too_many,
                  fmt::format("is one word too many: a column may have {} different ones; leave it "
                              "out by --ignore",
                              grouped(most)));
  }
  for (const auto& [word, line] : details.words) {
    if (word.size() > kMostWordBytes) {
      fail_at_field(table, column, {.line = line, .text = word},
                    fmt::format("... is {} bytes long, and a word has {} at most; leave the column "
                                "out by --ignore",
                                word.size(), kMostWordBytes));
    }
    if (!is_plain_text(word)) {
      fail_at_line(table.location(), line,
                   fmt::format("{}: its text is not UTF-8 on one line", table.place(column)));
    }
  }
}

std::vector<std::string> sorted_words(const ColumnDetails& details) {
  std::vector<std::string> words;
  for (const auto& [word, line] : details.words) words.push_back(word);
  std::ranges::sort(words);  // The bytes of UTF-8 are in the order of code points.
  return words;
}

std::shared_ptr<const TextMap<Index>> positions_of(const std::vector<std::string>& words) {
  const auto positions = std::make_shared<TextMap<Index>>();
  for (const std::string& word : words) {
    positions->emplace(word, static_cast<Index>(positions->size()));
  }
  return positions;
}

/// Throws: DataError if a word of the test table is not one of the training table's.
void check_test_words(const CsvTable& table, std::size_t column, const ColumnDetails& details,
                      const CsvColumn& training) {
  FieldPlace first;
  for (const auto& [word, line] : details.words) {
    if (training.words->contains(word)) continue;
    if (first.line == 0 || line < first.line) first = {.line = line, .text = word};
  }
  if (first.line == 0 && details.too_many.line > 0) first = details.too_many;
  if (first.line > 0)
    fail_at_field(table, column, first, "is not among the words of the training table");
}

void check_numbers(const CsvTable& table, std::size_t column, const ColumnDetails& details) {
  if (details.word.line > 0) {
    fail_at_field(table, column, details.word,
                  "is not a number, and those of the training table are");
  }
  if (details.infinite.line > 0) {
    fail_at_field(table, column, details.infinite, "is not a finite number");
  }
}

/// For each column of the test table that of the training table; its number of columns for none.
std::vector<std::size_t> match_columns(const CsvTable& train, const std::vector<ColumnPlan>& plan,
                                       const CsvTable& test, const CsvFiles& files) {
  const std::size_t none = train.columns();
  std::vector<std::size_t> match(test.columns(), none);
  const auto is_label = [](const ColumnPlan& column) { return column.role == Role::kLabel; };
  const auto label = static_cast<std::size_t>(std::ranges::find_if(plan, is_label) - plan.begin());
  if (!train.has_header() || !test.has_header()) {
    const bool lacks_label = label != none && test.columns() + 1 == train.columns();
    if (test.columns() != train.columns() && !lacks_label) {
      fail_import(test.location(), fmt::format("it has {} columns, and {} has {}", test.columns(),
                                               train.location(), train.columns()));
    }
    for (std::size_t i = 0; i < match.size(); ++i) match[i] = i + (lacks_label && i >= label);
    return match;
  }
  TextMap<std::size_t> by_name;
  for (std::size_t i = 0; i < train.columns(); ++i) by_name.emplace(train.name(i), i);
  std::vector<bool> found(train.columns());
  for (std::size_t i = 0; i < test.columns(); ++i) {
    if (const auto place = by_name.find(test.name(i)); place != by_name.end()) {
      match[i] = place->second;
      found[place->second] = true;
    } else if (std::ranges::find(files.ignore, test.name(i)) == files.ignore.end()) {
      fail_import(test.location(),
                  fmt::format("its column '{}' is not in {}; --ignore leaves it out", test.name(i),
                              train.location()));
    }
  }
  for (std::size_t i = 0; i < train.columns(); ++i) {
    if (!found[i] && plan[i].role == Role::kFeature) {
      fail_import(test.location(), fmt::format("it has no column '{}', which {} has", train.name(i),
                                               train.location()));
    }
  }
  return match;
}

}  // namespace

ScannedTable scan_training_table(const std::shared_ptr<const CsvTable>& table, const CsvTable* test,
                                 const CsvFiles& files, const ImportOptions& options) {
  ScannedTable result = scan(table, first_plan(*table, files, test), options);
  bool again = false;
  std::vector<ColumnPlan> plan = result.plan;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    plan[i].all_are_words = numbers_are_words(result.scan.columns[i], plan[i], options);
    again |= plan[i].all_are_words;
  }
  return again ? scan(table, plan, options) : std::move(result);
}

CsvLayout layout_of(const ScannedTable& train, const ImportOptions& options) {
  const CsvTable& table = *train.table;
  CsvLayout layout;
  layout.columns.resize(table.columns());
  bool has_words = false;
  for (std::size_t i = 0; i < table.columns(); ++i) {
    const ColumnDetails& details = train.scan.columns[i].get_details();
    CsvColumn& column = layout.columns[i];
    const bool words = !details.words.empty();
    if (train.plan[i].role == Role::kIgnored) continue;
    if (words) check_words(table, i, train);
    if (train.plan[i].role == Role::kLabel) {
      column.kind = words ? Kind::kLabelWord : Kind::kLabelNumber;
      if (words) layout.class_names = sorted_words(details);
      column.words = positions_of(layout.class_names);
      if (train.scan.columns[i].missing == train.scan.rows) {
        fail_import(table.location(), fmt::format("its {} holds no label", table.place(i)));
      }
      continue;
    }
    column.feature = layout.features;
    if (words) {
      const std::vector<std::string> sorted = sorted_words(details);
      column.kind = Kind::kWords;
      column.words = positions_of(sorted);
      layout.features += static_cast<Index>(sorted.size());
      for (const std::string& word : sorted) {
        layout.feature_names.push_back(fmt::format("{}={}", table.name(i), word));
      }
      has_words = true;
      if (options.height > 0) {
        fail_at_field(table, i, details.word, "is not a number, and --pixels takes numbers");
      }
    } else {
      check_numbers(table, i, details);
      column.kind = Kind::kNumber;
      ++layout.features;
      layout.feature_names.push_back(table.name(i));
    }
    if (layout.features > kMaxFeatures) {
      fail_import(table.location(),
                  fmt::format("its columns make more than {} features", kMaxFeatures));
    }
  }
  if (layout.features == 0) {
    fail_import(table.location(), "no column is left for the samples");
  }
  if (options.height > 0 && layout.features != options.height * options.width) {
    fail_import(table.location(),
                fmt::format("its rows hold {} numbers, and an image of {}x{} has {} pixels",
                            layout.features, options.height, options.width,
                            options.height * options.width));
  }
  // Numbers of columns are no names.
  if (options.height > 0 || (!table.has_header() && !has_words)) layout.feature_names.clear();
  return layout;
}

ScannedTable scan_test_table(const std::shared_ptr<const CsvTable>& table, const CsvFiles& files,
                             const ImportOptions& options, const ScannedTable& train,
                             CsvLayout& layout) {
  const std::vector<std::size_t> match = match_columns(*train.table, train.plan, *table, files);
  std::vector<ColumnPlan> plan(table->columns(), {.role = Role::kIgnored});
  std::vector<CsvColumn> columns(table->columns());
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (match[i] == train.table->columns()) continue;
    plan[i] = train.plan[match[i]];
    columns[i] = layout.columns[match[i]];
    // A column of words that holds numbers in the test table alone holds words there as well.
    plan[i].all_are_words |= columns[i].kind == Kind::kWords || columns[i].kind == Kind::kLabelWord;
  }
  ScannedTable result = scan(table, std::move(plan), options);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnDetails& details = result.scan.columns[i].get_details();
    if (columns[i].kind == Kind::kWords || columns[i].kind == Kind::kLabelWord) {
      check_test_words(*table, i, details, columns[i]);
    } else if (columns[i].kind != Kind::kIgnored) {
      check_numbers(*table, i, details);
    }
  }
  layout.columns = std::move(columns);
  return result;
}

std::optional<LabelSummary> labels_of(const ScannedTable& table, const CsvLayout& layout,
                                      const ImportOptions& options) {
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    const CsvColumn& column = layout.columns[i];
    const ColumnScan& scan = table.scan.columns[i];
    const ColumnDetails& details = scan.get_details();
    LabelSummary summary{.least = scan.missing > 0 ? -1 : 0, .most = -1};
    if (column.kind == Kind::kLabelWord) {
      summary.most = static_cast<std::int64_t>(layout.class_names.size()) - 1;
      return summary;
    }
    if (column.kind != Kind::kLabelNumber) continue;
    if (scan.numbers == 0) return summary;
    if (details.fraction.line > 0) {
      fail_at_field(*table.table, i, details.fraction, "is not an integer, and the labels are");
    }
    const auto class_at = [&](std::int64_t label, const FieldPlace& place) {
      const auto found = find_class(label, options);
      if (found) return *found;
      fail_label(label, options, table.table->location(),
                 fmt::format("line {} in {}", place.line, table.table->place(i)));
    };
    summary.least = std::min(summary.least, class_at(details.least, details.least_place));
    summary.most = class_at(details.most, details.most_place);
    return summary;
  }
  return {};
}

Index count_missing(const ScannedTable& table, const ImportOptions& options) {
  Index total = 0;
  std::size_t columns = 0;
  std::string list;
  for (std::size_t i = 0; i < table.plan.size(); ++i) {
    const ColumnScan& scan = table.scan.columns[i];
    if (table.plan[i].role != Role::kFeature || scan.missing == 0) continue;
    total += scan.missing;
    if (++columns > kMostColumnsListed) continue;
    list += fmt::format("{}{} in {}, the first in line {}", list.empty() ? "" : "; ",
                        grouped(scan.missing), table.table->place(i), scan.first_missing);
  }
  if (total == 0 || options.missing != MissingValues::kRefused) return total;
  fail_import(table.table->location(),
              fmt::format("{} missing: {}{}; --missing mean or zero puts values in their place",
                          total == 1 ? "1 value is" : fmt::format("{} values are", grouped(total)),
                          list, columns > kMostColumnsListed ? "; and in other columns" : ""));
}

}  // namespace sae
