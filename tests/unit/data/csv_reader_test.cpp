#include "data/csv_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"

namespace sae {
namespace {

using Row = std::vector<std::string>;

ReadText reading(const std::string& text) {
  return [&text, next = std::size_t{0}](std::span<char> out) mutable {
    const std::size_t count = std::min(out.size(), text.size() - next);
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(next), count, out.begin());
    next += count;
    return count;
  };
}

/// The rows of the text, each with its line in front.
std::vector<Row> rows_of(const std::string& text, char separator = ',',
                         std::size_t block_bytes = 1 << 20,
                         std::size_t fields = CsvRows::kAnyNumber) {
  const CsvDialect dialect{.location = "'x.csv'", .separator = separator};
  CsvBlockReader reader(dialect, reading(text), block_bytes);
  std::vector<Row> result;
  CsvBlock block;
  while (reader.next(block)) {
    CsvRows rows(block, dialect, fields);
    while (rows.next()) {
      Row row = {std::to_string(rows.line())};
      row.insert(row.end(), rows.fields().begin(), rows.fields().end());
      result.push_back(row);
    }
  }
  return result;
}

void expect_fault(const std::string& text, std::initializer_list<std::string> parts) {
  for (const std::size_t block_bytes : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
    expect_error<DataError>([&] { rows_of(text, ',', block_bytes, 2); }, parts);
    expect_error<DataError>([&] { rows_of(text, ',', block_bytes, 2); }, {"'x.csv'"});
  }
}

TEST(CsvReader, FieldsAreWithoutTheBlanksAroundThem) {
  EXPECT_EQ(rows_of("a, b c ,\t1.5\r\n,,\n"),
            (std::vector<Row>{{"1", "a", "b c", "1.5"}, {"2", "", "", ""}}));
}

TEST(CsvReader, LastRowNeedsNoLineFeed) {
  EXPECT_EQ(rows_of("1,2\n3,4"), (std::vector<Row>{{"1", "1", "2"}, {"2", "3", "4"}}));
}

TEST(CsvReader, EmptyLinesAreNoRowsButCount) {
  EXPECT_EQ(rows_of("\n1,2\n\r\n  \n3,4\n\n"),
            (std::vector<Row>{{"2", "1", "2"}, {"5", "3", "4"}}));
  EXPECT_TRUE(rows_of("").empty());
  EXPECT_TRUE(rows_of("\n\n").empty());
}

TEST(CsvReader, QuotesHoldSeparatorsLineBreaksAndQuotes) {
  EXPECT_EQ(rows_of("\"a,b\",\"say \"\"x\"\"\"\r\n \"two\nlines\" ,\"\"\n5\" disk,6\n"),
            (std::vector<Row>{
                {"1", "a,b", "say \"x\""}, {"2", "two\nlines", ""}, {"4", "5\" disk", "6"}}));
}

TEST(CsvReader, ByteOrderMarkIsNoText) {
  EXPECT_EQ(rows_of("\xef\xbb\xbfx,y\n", ',', 1), (std::vector<Row>{{"1", "x", "y"}}));
}

TEST(CsvReader, BlanksThatSeparateMayBeSeveral) {
  EXPECT_EQ(rows_of("  1  2 3\n4 5   6  \r\n", ' '),
            (std::vector<Row>{{"1", "1", "2", "3"}, {"2", "4", "5", "6"}}));
}

TEST(CsvReader, TabsSeparateEmptyFields) {
  EXPECT_EQ(rows_of("\t2\t\n", '\t'), (std::vector<Row>{{"1", "", "2", ""}}));
}

TEST(CsvReader, RowsAreTheSameForBlocksOfAnySize) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i * i * i) + ", \"q" + std::string(static_cast<std::size_t>(i), '\n') +
            "\"\"\" ,long field number " + std::to_string(i) + (i % 3 == 0 ? "\r\n" : "\n\n");
  }
  const auto expected = rows_of(text);
  EXPECT_EQ(expected.size(), 40);
  for (std::size_t block_bytes = 1; block_bytes < 120; ++block_bytes) {
    EXPECT_EQ(rows_of(text, ',', block_bytes), expected) << block_bytes;
  }
}

TEST(CsvReader, RowWithAnotherNumberOfFieldsIsNamed) {
  expect_fault("1,2\n\"3\n\",4\n5,6,7\n", {"line 4", "has 3 fields", "first row has 2"});
  expect_fault("1,2\n3\n", {"line 2", "has 1 field,"});
}

TEST(CsvReader, QuoteThatIsNotClosedIsNamedWhereItOpens) {
  expect_fault("1,2\n\"3\",\"4\n5,6\n7,8\n", {"line 2", "quote that opens here is not closed"});
}

TEST(CsvReader, TextBehindAClosingQuoteIsNamed) {
  expect_fault("1,2\n\"a\"b,3\n", {"line 2", "closes field 1"});
}

TEST(CsvReader, NulByteIsNamed) { expect_fault(std::string("1,2\n3,\0\n", 8), {"line 2", "NUL"}); }

TEST(CsvReader, SeparatorIsRecognised) {
  EXPECT_EQ(recognise_separator("a,b\n1,2\n"), ',');
  EXPECT_EQ(recognise_separator("a;b\n1,5;2,5\n"), ';');
  EXPECT_EQ(recognise_separator("a b\tc\n1\t2\n"), '\t');
  EXPECT_EQ(recognise_separator("a|b, c|d\n1|2|3\n"), '|');
  EXPECT_EQ(recognise_separator(" 1  2\n 3  4\n"), ' ');
  EXPECT_EQ(recognise_separator("\"a;b\",c\n\"d\",e\n"), ',');
  EXPECT_EQ(recognise_separator("1\n2\n"), ',');
  EXPECT_EQ(recognise_separator("a;b;c\n1;2\n"), ';');  // A fault of the second row.
}

}  // namespace
}  // namespace sae
