#include "csv_table.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <map>
#include <memory>
#include <optional>

#include "csv_field.hpp"
#include "split_source.hpp"

namespace sae {
namespace {

constexpr std::size_t kProbeBytes = 1 << 16;
constexpr int kMostThreads = 8;
constexpr std::size_t kMostListed = 12;  // Names in a message.

/// Throws: DataError if the text that a table begins with is of another kind of file.
void check_kind(const std::string& location, std::string_view begin) {
  if (begin.empty()) fail_import(location, "it is empty");
  if (begin.starts_with("PK\x03\x04")) {
    fail_import(location, "it is a spreadsheet or an archive; save the table as CSV");
  }
  if (begin.starts_with("\xff\xfe") || begin.starts_with("\xfe\xff")) {
    fail_import(location, "it is UTF-16 text; save it as UTF-8");
  }
  if (begin.find('\r') != std::string_view::npos && begin.find('\n') == std::string_view::npos) {
    fail_import(location, "its lines end with carriage returns alone; save it with line feeds");
  }
}

/// Blocks that are parsed at the same time.
struct CsvBatch {
  explicit CsvBatch(std::size_t size) : blocks(size), turns(size), faults(size) {}
  std::vector<CsvBlock> blocks;
  std::vector<CsvTable::Turn> turns;
  std::vector<std::exception_ptr> faults;
};

}  // namespace

bool is_header(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  std::map<std::string, int> seen;
  bool all_words = true;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const bool is_word = kind_of_field(first[i]) == FieldKind::kWord;
    if (is_word && i < second.size() && kind_of_field(second[i]) == FieldKind::kNumber) return true;
    all_words &= is_word && ++seen[first[i]] == 1;
  }
  return all_words;
}

CsvTable::CsvTable(const std::filesystem::path& path, const CsvFiles& options) : path_(path) {
  dialect_.location = fmt::format("'{}'", path.string());
  ByteSource source(path);
  stored_bytes_ = source.stored_bytes();
  packed_ = source.packed();
  std::string begin(kProbeBytes, '\0');
  begin.resize(source.read(begin));
  check_kind(dialect_.location, begin);
  dialect_.separator = options.separator != '\0' ? options.separator : recognise_separator(begin);
  read_first_rows(options);
}

void CsvTable::read_first_rows(const CsvFiles& options) {
  ByteSource source(path_);
  CsvBlockReader reader(
      dialect_, [&source](std::span<char> out) { return source.read(out); }, kProbeBytes);
  std::vector<std::vector<std::string>> rows;
  CsvBlock block;
  while (rows.size() < 2 && reader.next(block)) {
    CsvRows parsed(block, dialect_);
    while (rows.size() < 2 && parsed.next()) {
      rows.emplace_back(parsed.fields().begin(), parsed.fields().end());
    }
  }
  if (rows.empty()) fail_import(location(), "it holds no rows");
  const std::vector<std::string> none;
  has_header_ = options.header == CsvFiles::Header::kYes ||
                (options.header == CsvFiles::Header::kAuto &&
                 is_header(rows[0], rows.size() > 1 ? rows[1] : none));
  names_ = rows[0];
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!has_header_ || names_[i].empty()) names_[i] = fmt::format("{}", i + 1);
  }
  if (has_header_ && rows.size() == 1) fail_import(location(), "it holds a header and no rows");
  if (has_header_) check_names();
}

void CsvTable::check_names() const {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!is_plain_text(names_[i])) {
      fail_at_line(location(), 1,
                   fmt::format("the name of column {} is not UTF-8 text on one line", i + 1));
    }
    const auto [other, is_new] = seen.emplace(names_[i], i);
    if (!is_new) {
      fail_at_line(location(), 1,
                   fmt::format("the columns {} and {} are both named '{}'", other->second + 1,
                               i + 1, names_[i]));
    }
  }
}

std::string CsvTable::place(std::size_t column) const {
  return has_header_ ? fmt::format("column '{}'", names_[column])
                     : fmt::format("column {}", names_[column]);
}

std::size_t CsvTable::find(const std::string& name_or_number) const {
  if (has_header_) {
    const auto found = std::ranges::find(names_, name_or_number);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
  }
  std::size_t number = 0;
  const char* const end = name_or_number.data() + name_or_number.size();
  const auto parsed = std::from_chars(name_or_number.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end && 1 <= number && number <= columns()) {
    return number - 1;
  }
  const std::size_t listed = std::min(columns(), kMostListed);
  fail_import(
      location(),
      fmt::format(
          "it has no column '{}'; it has {} columns: {}{}", name_or_number, columns(),
          fmt::join(names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(listed), ", "),
          listed < columns() ? ", ..." : ""));
}

void CsvTable::read_rows(std::size_t block_bytes, const std::function<Turn(CsvRows&)>& parse,
                         const std::function<void(std::size_t)>& progress) const {
  ByteSource source(path_);
  if (!packed_) block_bytes = std::min(block_bytes, static_cast<std::size_t>(stored_bytes_) + 1);
  CsvBlockReader reader(
      dialect_, [&source](std::span<char> out) { return source.read(out); }, block_bytes);
  const int threads = std::min(omp_get_max_threads(), kMostThreads);
  CsvBatch batch(static_cast<std::size_t>(2 * threads));
  bool is_first_block = has_header_;
  for (std::size_t count = batch.blocks.size(); count == batch.blocks.size();) {
    // A fault of the reader lies behind the rows that it has given.
    std::exception_ptr reader_fault;
    std::size_t bytes = 0;
    for (count = 0; count < batch.blocks.size(); ++count) {
      try {
        if (!reader.next(batch.blocks[count])) break;
      } catch (...) {
        reader_fault = std::current_exception();
        break;
      }
      bytes += batch.blocks[count].text.size();
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (std::size_t i = 0; i < count; ++i) {
      try {
        CsvRows rows(batch.blocks[i], dialect_, columns());
        if (is_first_block && i == 0) rows.next();  // The header.
        batch.turns[i] = parse(rows);
      } catch (...) {  // Nothing may leave a parallel region.
        batch.faults[i] = std::current_exception();
      }
    }
    is_first_block = false;
    for (std::size_t i = 0; i < count; ++i) {
      if (batch.faults[i]) std::rethrow_exception(batch.faults[i]);
      batch.turns[i]();
      batch.turns[i] = {};
    }
    if (reader_fault) std::rethrow_exception(reader_fault);
    if (progress) progress(bytes);
  }
}

}  // namespace sae
