#include "csv_scan.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "csv_field.hpp"

namespace sae {
namespace {

constexpr std::size_t kScanBlockBytes = std::size_t{2} << 20;
constexpr double kMostInteger = 1e15;

std::size_t most_words(const ColumnPlan& plan) {
  return plan.role == ColumnPlan::Role::kLabel ? static_cast<std::size_t>(kMaxClasses) : kMostWords;
}

void keep_first(FieldPlace& place, Index line, std::string_view text) {
  if (place.line == 0) place = {.line = line, .text = std::string(text)};
}

void keep_first(FieldPlace& place, FieldPlace& later) {
  if (place.line == 0) place = std::move(later);
}

void scan_label(ColumnDetails& column, std::string_view field, Index line) {
  const auto number = double_of_field(field);
  if (!number || *number != std::floor(*number) || std::abs(*number) > kMostInteger) {
    return keep_first(column.fraction, line, field);
  }
  const auto label = static_cast<std::int64_t>(*number);
  column.only_signs &= label == 1 || label == -1;
  if (label < column.least) {
    column.least = label;
    column.least_place = {.line = line, .text = std::string(field)};
  }
  if (label > column.most) {
    column.most = label;
    column.most_place = {.line = line, .text = std::string(field)};
  }
}

void scan_word(ColumnDetails& column, const ColumnPlan& plan, std::string_view field, Index line) {
  if (column.words.contains(field)) return;
  if (column.words.size() >= most_words(plan)) return keep_first(column.too_many, line, field);
  column.words.emplace(std::string(field), line);
}

void scan_field(ColumnScan& column, const ColumnPlan& plan, std::string_view field, Index line) {
  switch (kind_of_field(field)) {
    case FieldKind::kMissing:
      if (column.missing++ == 0) column.first_missing = line;
      return;
    case FieldKind::kNumber:
      ++column.numbers;
      if (plan.role == ColumnPlan::Role::kLabel) scan_label(column.edit_details(), field, line);
      if (plan.all_are_words) scan_word(column.edit_details(), plan, field, line);
      return;
    case FieldKind::kInfinite:
      keep_first(column.edit_details().infinite, line, field);
      if (plan.all_are_words) scan_word(column.edit_details(), plan, field, line);
      return;
    case FieldKind::kWord:
      keep_first(column.edit_details().word, line, field);
      scan_word(column.edit_details(), plan, field, line);
      return;
  }
}

void merge_details(ColumnDetails& into, ColumnDetails& from, const ColumnPlan& plan) {
  keep_first(into.infinite, from.infinite);
  keep_first(into.word, from.word);
  keep_first(into.fraction, from.fraction);
  if (from.least < into.least) {
    into.least = from.least;
    into.least_place = std::move(from.least_place);
  }
  if (from.most > into.most) {
    into.most = from.most;
    into.most_place = std::move(from.most_place);
  }
  into.only_signs &= from.only_signs;
  keep_first(into.too_many, from.too_many);
  for (const auto& [word, line] : from.words) {
    if (into.words.contains(word)) continue;
    if (into.words.size() >= most_words(plan)) {
      keep_first(into.too_many, line, word);
    } else {
      into.words.emplace(word, line);
    }
  }
}

void merge_column(ColumnScan& into, ColumnScan& from, const ColumnPlan& plan) {
  into.numbers += from.numbers;
  if (into.missing == 0) into.first_missing = from.first_missing;
  into.missing += from.missing;
  if (from.details) merge_details(into.edit_details(), *from.details, plan);
}

}  // namespace

const ColumnDetails& ColumnScan::get_details() const {
  static const ColumnDetails none;
  return details ? *details : none;
}

TableScan scan_table(const CsvTable& table, const std::vector<ColumnPlan>& plan,
                     const std::function<void(std::size_t)>& progress) {
  TableScan scan;
  scan.columns.resize(table.columns());
  std::vector<std::size_t> scanned;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].role != ColumnPlan::Role::kIgnored) scanned.push_back(i);
  }
  const auto parse = [&](CsvRows& rows) -> CsvTable::Turn {
    const auto found = std::make_shared<TableScan>();
    found->columns.resize(table.columns());
    while (rows.next()) {
      ++found->rows;
      for (const std::size_t i : scanned) {
        scan_field(found->columns[i], plan[i], rows.fields()[i], rows.line());
      }
    }
    return [&scan, &plan, &scanned, found] {
      scan.rows += found->rows;
      for (const std::size_t i : scanned) {
        merge_column(scan.columns[i], found->columns[i], plan[i]);
      }
    };
  };
  table.read_rows(kScanBlockBytes, parse, progress);
  return scan;
}

}  // namespace sae
