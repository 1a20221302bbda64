#include "data/csv_field.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "data/csv_table.hpp"

namespace sae {
namespace {

float plain(const std::string& text) {
  float value = 0;
  EXPECT_TRUE(parse_plain_float(text, value)) << text;
  return value;
}

TEST(CsvField, KindsAreToldApart) {
  for (const char* text : {"0", "-1", "+1", "1.", ".5", "-0.25e-3", "1E+9", "007", "1e999"}) {
    EXPECT_EQ(kind_of_field(text), FieldKind::kNumber) << text;
  }
  for (const char* text : {"", "NA", "NaN", "nan", "null", "?"}) {
    EXPECT_EQ(kind_of_field(text), FieldKind::kMissing) << text;
  }
  for (const char* text : {"inf", "-INF", "+Infinity"}) {
    EXPECT_EQ(kind_of_field(text), FieldKind::kInfinite) << text;
  }
  for (const char* text :
       {"a", ".", "-", "1e", "1e+", "1 2", "1,5", "0x10", "1f", "na", "--1", "1.2.3", "e5"}) {
    EXPECT_EQ(kind_of_field(text), FieldKind::kWord) << text;
  }
}

TEST(CsvField, FloatsAreTheNearest) {
  // Of bits all over the range, as printf and strtof see them.
  std::uint32_t bits = 12345;
  for (int i = 0; i < 200'000; ++i) {
    bits = bits * 1664525 + 1013904223;
    const auto value = std::bit_cast<float>(bits & 0xbfffffff);  // Below 2, or none of it.
    for (const std::string& text : {fmt::format("{}", value), fmt::format("{:.7f}", value),
                                    fmt::format("{:.9g}", value), fmt::format("{:.4f}", value)}) {
      if (!std::isfinite(value) || std::abs(value) > 1e30f) continue;
      EXPECT_EQ(float_of_field(text), std::strtof(text.c_str(), nullptr)) << text;
      if (float quick = 0; parse_plain_float(text, quick)) {
        EXPECT_EQ(quick, std::strtof(text.c_str(), nullptr)) << text;
      }
    }
  }
}

TEST(CsvField, MiddleOfTwoFloatsRoundsOnce) {
  // Nearest to 16777217 are 16777216 and 16777218; as a double the first text is the middle.
  EXPECT_EQ(plain("16777217.0000000"), 16777216.0f);
  EXPECT_EQ(plain("16777217.00000000000001"), 16777218.0f);
  EXPECT_EQ(plain("16777219"), 16777220.0f);
}

TEST(CsvField, NumbersBeyondTheRangeAreNone) {
  EXPECT_EQ(float_of_field("3.5e38"), std::nullopt);
  EXPECT_EQ(float_of_field("-1e999"), std::nullopt);
  EXPECT_EQ(float_of_field(std::string(400, '9')), std::nullopt);
  EXPECT_EQ(float_of_field("1e-50"), 0.0f);
  EXPECT_EQ(float_of_field("1e-999"), 0.0f);
  EXPECT_EQ(float_of_field("0." + std::string(400, '0') + "1"), 0.0f);
  EXPECT_EQ(float_of_field("+2.5"), 2.5f);
  EXPECT_EQ(float_of_field("1e-45"), std::strtof("1e-45", nullptr));
  EXPECT_EQ(double_of_field("1e999"), std::nullopt);
}

TEST(CsvField, PlainFloatsAreNoOtherFields) {
  float value = 0;
  for (const char* text : {"", "-", ".", "nan", "inf", "a", "1 ", "1e400"}) {
    EXPECT_FALSE(parse_plain_float(text, value)) << text;
  }
}

TEST(CsvField, PlainTextIsUtf8OnOneLine) {
  for (const char* text : {"", "a b", "gr\xc3\xbcn", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(is_plain_text(text)) << text;
  }
  for (const char* text : {"a\nb", "gr\xfcn", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xff", "\x80"}) {
    EXPECT_FALSE(is_plain_text(text)) << text;
  }
}

TEST(CsvTable, HeaderIsARowOfWordsOrOneAboveNumbers) {
  EXPECT_TRUE(is_header({"a", "b"}, {"1", "2"}));
  EXPECT_TRUE(is_header({"a", "0", "1"}, {"5", "2", "3"}));
  EXPECT_TRUE(is_header({"a", "b"}, {"x", "y"}));
  EXPECT_TRUE(is_header({"a", "b"}, {}));
  EXPECT_FALSE(is_header({"a", "a"}, {"x", "y"}));
  EXPECT_FALSE(is_header({"1", "2"}, {"3", "4"}));
  EXPECT_FALSE(is_header({"red", "2"}, {"blue", "4"}));
  EXPECT_FALSE(is_header({"0", "1"}, {"5", "6"}));
}

}  // namespace
}  // namespace sae
