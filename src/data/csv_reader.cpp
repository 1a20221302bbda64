#include "csv_reader.hpp"

#include <fmt/format.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "sae/core/error.hpp"
#include "sae/core/text.hpp"
#include "sae/data/dataset_file.hpp"

namespace sae {
namespace {

constexpr std::size_t kMostRowBytes = std::size_t{256} << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

char* pass_blanks(char* at, const char* end, char separator) {
  while (at != end && (*at == ' ' || (*at == '\t' && separator != '\t'))) ++at;
  return at;
}

/// The byte behind the quote that closes the field which `at` is in; `end` if there is none.
const char* behind_closing_quote(const char* at, const char* end) {
  while (at != end) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (at == nullptr) return end;
    ++at;
    if (at == end || *at != '"') return at;
    ++at;
  }
  return end;
}

/// A row as far as it takes to find its end.
struct RowEnd {
  const char* behind = nullptr;  ///< Null: the text ends before.
  std::size_t fields = 0;
  const char* open_quote = nullptr;  ///< That of a field which the text ends in.
};

RowEnd find_row_end(const char* at, const char* end, char separator) {
  RowEnd row;
  for (;; ++at) {
    at = pass_blanks(const_cast<char*>(at), end, separator);  // Nothing is changed.
    const bool is_field = separator != ' ' || at == end || *at != '\n';
    row.fields += is_field;
    if (at != end && *at == '"') {
      row.open_quote = at;
      at = behind_closing_quote(at + 1, end);
      if (at == end) return row;
      row.open_quote = nullptr;
    }
    while (at != end && *at != separator && *at != '\n') ++at;
    if (at == end) return row;
    if (*at == '\n') break;
  }
  row.behind = at + 1;
  return row;
}

/// The first separator or line feed from `at` on. Requires: there is one before `end`.
char* find_field_end(char* at, const char* end, char separator) {
#ifdef __SSE2__
  const __m128i separators = _mm_set1_epi8(separator);
  const __m128i line_feeds = _mm_set1_epi8('\n');
  for (; end - at >= 16; at += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(text, separators), _mm_cmpeq_epi8(text, line_feeds));
    if (const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found)); mask != 0) {
      return at + std::countr_zero(mask);
    }
  }
#endif
  while (at != end && *at != separator && *at != '\n') ++at;
  return at;
}

Index count_lines(std::span<const char> text) { return std::ranges::count(text, '\n'); }

}  // namespace

void fail_at_line(const std::string& location, Index line, const std::string& fault) {
  throw DataError(fmt::format("Cannot import {}: line {}: {}.", location, line, fault));
}

char recognise_separator(std::string_view begin) {
  constexpr std::size_t kMostRows = 10;
  if (begin.starts_with(kByteOrderMark)) begin.remove_prefix(kByteOrderMark.size());
  const char* const end = begin.data() + begin.size();
  for (const char separator : {'\t', ';', '|', ',', ' '}) {
    std::vector<std::size_t> fields;
    RowEnd row;
    for (const char* at = begin.data(); at != end && fields.size() < kMostRows; at = row.behind) {
      row = find_row_end(at, end, separator);
      if (row.behind == nullptr) break;
      if (row.behind - at > 2) fields.push_back(row.fields);  // It is not empty.
    }
    const auto is_first = [&](std::size_t count) { return count == fields.front(); };
    if (!fields.empty() && fields.front() > 1 && std::ranges::all_of(fields, is_first)) {
      return separator;
    }
  }
  const auto line = begin.substr(0, begin.find('\n'));
  for (const char separator : {',', ';', '\t', '|', ' '}) {
    if (line.find(separator) != std::string_view::npos) return separator;
  }
  return ',';
}

CsvBlockReader::CsvBlockReader(const CsvDialect& dialect, ReadText read_text,
                               std::size_t block_bytes)
    : dialect_(dialect),
      read_text_(std::move(read_text)),
      block_bytes_(std::max(block_bytes, kByteOrderMark.size())) {}

/// Appends up to so many bytes of the text; at its end a line feed if it lacks one.
void CsvBlockReader::fill(std::vector<char>& text, std::size_t bytes) {
  const std::size_t before = text.size();
  text.resize(before + bytes);
  const std::size_t found = read_text_(std::span(text).subspan(before));
  text.resize(before + found);
  at_end_ = found < bytes;
  if (!begun_) {
    begun_ = true;
    const std::string_view begin(text.data(), text.size());
    if (begin.starts_with(kByteOrderMark)) {
      text.erase(text.begin(), text.begin() + kByteOrderMark.size());
    }
  }
  const auto added = std::span(text).subspan(std::min(before, text.size()));
  if (!added.empty()) {
    if (const void* nul = std::memchr(added.data(), 0, added.size())) {
      const auto length = static_cast<std::size_t>(static_cast<const char*>(nul) - text.data());
      fail_at_line(dialect_.location, line_ + count_lines(std::span(text).first(length)),
                   "it holds a NUL byte, so it is no text; save the table as UTF-8 text");
    }
  }
  if (at_end_ && !text.empty() && text.back() != '\n') text.push_back('\n');
}

/// Bytes of the whole rows that the text begins with.
std::size_t CsvBlockReader::whole_rows(std::span<const char> text) const {
  if (text.empty()) return 0;
  const char* const begin = text.data();
  if (std::memchr(begin, '"', text.size()) == nullptr) {
    const auto last = std::find(text.rbegin(), text.rend(), '\n');
    return static_cast<std::size_t>(text.rend() - last);
  }
  const char* const end = begin + text.size();
  const char* at = begin;
  while (const char* next = find_row_end(at, end, dialect_.separator).behind) at = next;
  return static_cast<std::size_t>(at - begin);
}

void CsvBlockReader::fail_unfinished(std::span<const char> text) const {
  const char* const open_quote =
      find_row_end(text.data(), text.data() + text.size(), dialect_.separator).open_quote;
  const auto before =
      open_quote == nullptr ? 0 : static_cast<std::size_t>(open_quote - text.data());
  const Index line = line_ + count_lines(text.first(before));
  fail_at_line(dialect_.location, line,
               open_quote != nullptr
                   ? "the quote that opens here is not closed"
                   : fmt::format("the row is longer than {} MB", kMostRowBytes >> 20));
}

bool CsvBlockReader::next(CsvBlock& block) {
  block.text = std::move(rest_);
  rest_.clear();
  std::size_t rows = 0;
  std::size_t wanted = block_bytes_;
  do {
    if (!at_end_) fill(block.text, wanted);
    rows = whole_rows(block.text);
    // So that the time for a long row does not grow as its square.
    wanted = std::max(block.text.size(), block_bytes_);
    const bool is_too_long = block.text.size() > kMostRowBytes;
    if (rows == 0 && !block.text.empty() && (at_end_ || is_too_long)) fail_unfinished(block.text);
  } while (rows == 0 && !at_end_);
  rest_.assign(block.text.begin() + static_cast<std::ptrdiff_t>(rows), block.text.end());
  block.text.resize(rows);
  if (at_end_ && rows > 0 && !rest_.empty()) {
    line_ += count_lines(block.text);
    fail_unfinished(rest_);
  }
  block.first_line = line_;
  line_ += count_lines(block.text);
  return rows > 0;
}

CsvRows::CsvRows(CsvBlock& block, const CsvDialect& dialect, std::size_t fields)
    : dialect_(dialect),
      expected_(fields),
      at_(block.text.data()),
      end_(block.text.data() + block.text.size()),
      line_(block.first_line) {}

bool CsvRows::pass_empty_lines() {
  for (;;) {
    char* at = pass_blanks(at_, end_, dialect_.separator);
    if (at != end_ && *at == '\r') ++at;
    if (at == end_) return false;
    if (*at != '\n') return true;
    at_ = at + 1;
    ++line_;
  }
}

/// Reads a field from behind its opening quote on; returns what is behind its closing one.
char* CsvRows::read_quoted(char* at) {
  char* const begin = at;
  char* out = at;
  for (;;) {
    if (at == end_) fail_at_line(dialect_.location, row_line_, "a quote is not closed");
    if (*at == '"') {
      ++at;
      if (at == end_ || *at != '"') break;
    }
    line_ += *at == '\n';
    *out++ = *at++;
  }
  fields_.emplace_back(begin, static_cast<std::size_t>(out - begin));
  at = pass_blanks(at, end_, dialect_.separator);
  if (*at == '\r' && at + 1 != end_ && at[1] == '\n') ++at;
  if (*at != dialect_.separator && *at != '\n' && !(dialect_.separator == ' ' && at[-1] == ' ')) {
    fail_at_line(dialect_.location, line_,
                 fmt::format("text follows the quote that closes field {}; quotes within quotes "
                             "are doubled",
                             fields_.size()));
  }
  return at;
}

bool CsvRows::next() {
  fields_.clear();
  if (at_ == end_ || !pass_empty_lines()) return false;
  row_line_ = line_;
  const char separator = dialect_.separator;
  for (char* at = at_;;) {
    at = pass_blanks(at, end_, separator);
    if (separator == ' ' && !fields_.empty()) {  // Blanks at the end of a row separate nothing.
      if (*at == '\r' && at[1] == '\n') ++at;
      if (*at == '\n') {
        at_ = at + 1;
        break;
      }
    }
    if (*at == '"') {
      at = read_quoted(at + 1);
    } else {
      const char* const begin = at;
      at = find_field_end(at, end_, separator);
      const char* last = at;
      if (*at == '\n' && last != begin && last[-1] == '\r') --last;
      while (last != begin && (last[-1] == ' ' || last[-1] == '\t')) --last;
      fields_.emplace_back(begin, static_cast<std::size_t>(last - begin));
    }
    if (fields_.size() > static_cast<std::size_t>(kMaxFeatures)) {
      fail_at_line(dialect_.location, row_line_,
                   fmt::format("it has more than {} columns", kMaxFeatures));
    }
    if (*at == '\n') {
      at_ = at + 1;
      break;
    }
    if (*at == separator) ++at;
  }
  ++line_;
  if (expected_ != kAnyNumber && fields_.size() != expected_) {
    fail_at_line(dialect_.location, row_line_,
                 fmt::format("it has {}, and the first row has {}",
                             plural(static_cast<Index>(fields_.size()), "field"), expected_));
  }
  return true;
}

}  // namespace sae
