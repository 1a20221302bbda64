#include "data/idx.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <string>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/idx_bytes.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

std::string counting(std::size_t count) {
  std::string bytes(count, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  return bytes;
}

/// Seven images of 3 x 5 pixels.
std::string images() { return idx_file({7, 3, 5}, counting(105)); }

class IdxReaderTest : public testing::Test {
 protected:
  void write(const std::string& bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  std::string read_all() const {
    IdxReader reader(path_);
    std::string result;
    for (Index i = 0; i < reader.count(); ++i) {
      std::vector<std::uint8_t> item(static_cast<std::size_t>(reader.item_size()));
      reader.read(item);
      result.append(item.begin(), item.end());
    }
    reader.finish();
    return result;
  }

  /// Of the file with these bytes, plain and packed.
  void expect_data_error(const std::string& bytes, std::initializer_list<std::string> parts) const {
    for (const std::string& content : {bytes, packed_with_gzip(bytes)}) {
      write(content);
      expect_error<DataError>([&] { read_all(); }, {path_.string()});
      expect_error<DataError>([&] { read_all(); }, parts);
    }
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "images";
};

TEST_F(IdxReaderTest, PlainAndPackedFilesAreToldApartByContent) {
  for (const std::string& bytes : {images(), packed_with_gzip(images())}) {
    write(bytes);
    EXPECT_EQ(IdxReader(path_).shape(), (std::vector<Index>{7, 3, 5}));
    EXPECT_EQ(IdxReader(path_).item_size(), 15);
    EXPECT_EQ(read_all(), counting(105));
  }
}

TEST_F(IdxReaderTest, LabelsAreItemsOfOneByte) {
  write(idx_file({4}, counting(4)));
  EXPECT_EQ(IdxReader(path_).item_size(), 1);
  EXPECT_EQ(read_all(), counting(4));
}

TEST_F(IdxReaderTest, PackedFileOfTwoMembersIsOneStream) {
  write(packed_with_gzip(images().substr(0, 50)) + packed_with_gzip(images().substr(50)));
  EXPECT_EQ(read_all(), counting(105));
}

TEST_F(IdxReaderTest, FileCutAnywhereIsRefused) {
  for (const std::string& bytes : {images(), packed_with_gzip(images())}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      write(bytes.substr(0, length));
      expect_error<DataError>([&] { read_all(); }, {path_.string(), "at byte"});
    }
  }
}

TEST_F(IdxReaderTest, CutInHeaderNamesTheField) {
  expect_data_error(images().substr(0, 3), {"at byte 3", "magic number"});
  expect_data_error(images().substr(0, 10), {"at byte 10", "dimensions"});
}

TEST_F(IdxReaderTest, CutDataNameTheClaim) {
  expect_data_error(images().substr(0, 100), {"(7, 3, 5)", "too early"});
}

TEST_F(IdxReaderTest, TrailingBytesAreRefused) {
  expect_data_error(images() + "x", {"at byte 121", "more follows after the last of 7"});
}

TEST_F(IdxReaderTest, WrongMagicNumberIsShown) {
  expect_data_error("\x01" + images().substr(1), {"at byte 0", "magic number 01000803"});
  expect_data_error("a text that is long enough", {"at byte 0", "magic number 61207465"});
}

TEST_F(IdxReaderTest, OtherElementTypesAreRefused) {
  expect_data_error(idx_word(0xd03) + images().substr(4), {"at byte 2", "0x0d"});
}

TEST_F(IdxReaderTest, NumberOfDimensionsIsChecked) {
  expect_data_error(idx_word(0x800) + counting(4), {"at byte 3", "0 dimensions"});
  expect_data_error(idx_word(0x805) + images().substr(4), {"at byte 3", "5 dimensions"});
}

TEST_F(IdxReaderTest, DimensionOfZeroIsRefused) {
  expect_data_error(idx_file({7, 0, 5}, ""), {"at byte 8", "dimension 2 is 0"});
}

TEST_F(IdxReaderTest, ClaimOfTwoToThe31ImagesIsRefusedBeforeReading) {
  const std::string bytes = idx_file({1u << 31, 28, 28}, counting(784));
  for (const std::string& content : {bytes, packed_with_gzip(bytes)}) {
    write(content);
    expect_error<DataError>([&] { IdxReader{path_}; },
                            {path_.string(), "at byte 4", "(2147483648, 28, 28)"});
  }
}

TEST_F(IdxReaderTest, ClaimThatOverflowsIsRefused) {
  constexpr std::uint32_t kLargest = 0xffffffff;
  expect_data_error(idx_file({kLargest, kLargest, kLargest, kLargest}, ""),
                    {"at byte 4", "(4294967295, 4294967295, 4294967295, 4294967295)"});
}

TEST_F(IdxReaderTest, DamagedPackedDataAreFound) {
  // Random pixels: what does not compress is stored, so that only the check sum can tell.
  std::string bytes = idx_file({50000}, "");
  std::uint32_t state = 1;
  for (int i = 0; i < 50000; ++i) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>(state >> 24);
  }
  const std::string whole = packed_with_gzip(bytes);
  for (std::size_t place = 20; place < whole.size() - 4; place += 997) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
    write(damaged);
    expect_error<DataError>([&] { read_all(); }, {path_.string(), "of the unpacked data"});
  }
}

TEST_F(IdxReaderTest, BytesAfterThePackedDataAreRefused) {
  write(packed_with_gzip(images()) + "rest");
  expect_error<DataError>([&] { read_all(); }, {path_.string(), "the gzip file is damaged"});
}

TEST_F(IdxReaderTest, MissingFileAndFolderAreMissingInput) {
  expect_error<MissingInputError>([&] { IdxReader{path_}; }, {path_.string()});
  expect_error<MissingInputError>([&] { IdxReader{folder_.path()}; }, {"it is a folder"});
}

}  // namespace
}  // namespace sae
