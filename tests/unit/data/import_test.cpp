#include "sae/data/import.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <vector>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/idx_bytes.hpp"
#include "support/ordinary_user.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The samples of a TinyDataset as IDX files.
class ImportIdx : public testing::Test {
 protected:
  ImportIdx() {
    write(files_.train_images, images(Split::kTrain));
    write(files_.train_labels, labels(Split::kTrain));
    write(files_.test_images, packed_with_gzip(images(Split::kTest)));
    write(files_.test_labels, packed_with_gzip(labels(Split::kTest)));
  }

  static void write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  Index count(Split split) const {
    return split == Split::kTrain ? tiny_.train_count : tiny_.test_count;
  }
  std::string images(Split split) const {
    std::string data;
    for (Index i = 0; i < count(split) * tiny_.features(); ++i) {
      data += static_cast<char>(tiny_.pixel(split, i / tiny_.features(), i % tiny_.features()));
    }
    return idx_file({static_cast<std::uint32_t>(count(split)), 6, 5}, data);
  }
  std::string labels(Split split) const {
    std::string data;
    for (Index i = 0; i < count(split); ++i) data += static_cast<char>(tiny_.label(split, i));
    return idx_file({static_cast<std::uint32_t>(count(split))}, data);
  }

  /// Expects the error, the old output untouched and no other file left behind.
  template <typename Kind>
  void expect_failure(std::initializer_list<std::string> parts) const {
    write(options_.output, "old");
    expect_error<Kind>([this] { import_idx(files_, options_); }, parts);
    EXPECT_EQ(content(options_.output), "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(output_folder_.path()), {}), 1);
  }

  TinyDataset tiny_;
  TemporaryDirectory folder_;
  TemporaryDirectory output_folder_;
  IdxFiles files_{folder_.path() / "a", folder_.path() / "b", folder_.path() / "c",
                  folder_.path() / "d"};
  ImportOptions options_{.output = output_folder_.path() / "tiny.h5",
                         .name = "tiny",
                         .classes = 0,
                         .source = "",
                         .license = ""};
};

TEST_F(ImportIdx, GivesTheSameBytesAsTheWriter) {
  import_idx(files_, options_);
  tiny_.write(output_folder_.path() / "expected.h5");
  EXPECT_TRUE(content(options_.output) == content(output_folder_.path() / "expected.h5"));
}

TEST_F(ImportIdx, ReturnsWhatItWrites) {
  options_.source = "here";
  options_.license = "CC0";
  options_.classes = 10;
  options_.name = "";
  const DatasetInfo info = import_idx(files_, options_);
  EXPECT_EQ(info.train_count, 97);
  EXPECT_EQ(info.test_count, 31);
  EXPECT_EQ(info.classes, 10);
  const DatasetInfo read = DatasetFile(options_.output).info();
  EXPECT_EQ(read.name, "tiny");
  EXPECT_EQ(read.source, "here");
  EXPECT_EQ(read.license, "CC0");
  EXPECT_EQ(read.classes, 10);
}

TEST_F(ImportIdx, LargestLabelOfBothSplitsCounts) {
  write(files_.test_labels, idx_file({31}, std::string(31, '\x07')));
  EXPECT_EQ(import_idx(files_, options_).classes, 8);
}

TEST_F(ImportIdx, LabelsAndTestSplitMayBeAbsent) {
  files_.test_images.clear();
  files_.test_labels.clear();
  files_.train_labels.clear();
  const DatasetInfo info = import_idx(files_, options_);
  EXPECT_EQ(info.test_count, 0);
  EXPECT_FALSE(info.has_train_labels);
  EXPECT_NO_THROW(DatasetFile{options_.output});
}

TEST_F(ImportIdx, FilesThatDoNotBelongTogetherAreRefused) {
  std::swap(files_.train_labels, files_.test_labels);
  expect_failure<DataError>({files_.train_labels.string(), "shape (31)", "97 images"});
}

TEST_F(ImportIdx, LabelsInPlaceOfImagesAreRefused) {
  std::swap(files_.train_labels, files_.train_images);
  expect_failure<DataError>({files_.train_images.string(), "shape (97)"});
}

TEST_F(ImportIdx, TestImagesOfAnotherSizeAreRefused) {
  write(files_.test_images, idx_file({31, 5, 6}, std::string(31 * 30, 'x')));
  expect_failure<DataError>({files_.test_images.string(), "(5, 6)", "(6, 5)"});
}

TEST_F(ImportIdx, LabelBeyondTheClassesIsNamed) {
  options_.classes = 2;
  expect_failure<DataError>({files_.train_labels.string(), "is 2, not within [0, 2)"});
}

TEST_F(ImportIdx, ImagesLargerThanTheLimitAreRefused) {
  write(files_.train_images, idx_file({1, 5000, 5000}, std::string(25'000'000, 'x')));
  write(files_.train_labels, idx_file({1}, std::string(1, '\0')));
  expect_failure<DataError>({files_.train_images.string(), "(1, 5000, 5000)"});
}

TEST_F(ImportIdx, FaultFoundWhileCopyingLeavesTheOldOutput) {
  const std::string bytes = packed_with_gzip(images(Split::kTest));
  write(files_.test_images, bytes.substr(0, bytes.size() - 6));
  expect_failure<DataError>({files_.test_images.string(), "the gzip file is damaged"});
}

TEST_F(ImportIdx, TrailingBytesAreRefused) {
  write(files_.train_images, images(Split::kTrain).append("x"));
  expect_failure<DataError>({files_.train_images.string(), "more follows"});
}

TEST_F(ImportIdx, MissingFileIsNamed) {
  std::filesystem::remove(files_.test_labels);
  expect_failure<MissingInputError>({files_.test_labels.string()});
}

TEST_F(ImportIdx, WrongOptionsAreUsageErrors) {
  options_.classes = 65'536;
  expect_failure<UsageError>({"65536"});
  options_.classes = 0;
  files_.test_images.clear();
  expect_failure<UsageError>({"no test images"});
  files_.train_images.clear();
  expect_failure<UsageError>({"no training images"});
}

TEST_F(ImportIdx, FolderThatCannotBeWrittenIsAnOutputError) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  std::filesystem::permissions(output_folder_.path(), std::filesystem::perms{0555});
  {
    const OrdinaryUser user;
    expect_error<OutputError>([this] { import_idx(files_, options_); },
                              {options_.output.string(), "Permission denied"});
  }
  std::filesystem::permissions(output_folder_.path(), std::filesystem::perms{0755});
  EXPECT_TRUE(std::filesystem::is_empty(output_folder_.path()));
}

#ifndef __SANITIZE_ADDRESS__  // It takes far more memory for itself.
TEST_F(ImportIdx, MemoryDoesNotGrowWithTheFile) {
  // 100 MB of one value: small packed, and not to be held at once.
  constexpr std::uint32_t kCount = 100'000;
  write(files_.train_images,
        packed_with_gzip(idx_file({kCount, 25, 40}, std::string(kCount * 1000, '\x07'))));
  files_.train_labels.clear();
  files_.test_images.clear();
  files_.test_labels.clear();
  // A new process: the peak of this one holds what the test itself made.
  const auto import_with_limit = [this] {
    const rlimit limit{std::size_t{64} << 20, std::size_t{64} << 20};
    if (setrlimit(RLIMIT_DATA, &limit) != 0) std::exit(1);
    std::exit(import_idx(files_, options_).train_count == kCount ? 0 : 1);
  };
  EXPECT_EXIT(import_with_limit(), testing::ExitedWithCode(0), "");
}
#endif

class ImportHdf5 : public testing::Test {
 protected:
  void make(const std::string& script) const {
    run_python(folder_.path(), fmt::format("f = h5py.File('arrays.h5', 'w')\n{}", script));
  }

  TemporaryDirectory folder_;
  Hdf5Arrays arrays_{folder_.path() / "arrays.h5", "/x", "/y", "/tx", "/ty"};
  ImportOptions options_{.output = folder_.path() / "data.h5",
                         .name = "mine",
                         .classes = 0,
                         .source = "",
                         .license = ""};
};

TEST_F(ImportHdf5, ArraysBecomeADataset) {
  make(R"(
f["x"], f["y"] = np.arange(24).reshape(2, 3, 4) / 32, np.array([4, 0], "i4")
f["tx"], f["ty"] = np.ones((1, 3, 4)), np.array([1], "u8")
)");
  const DatasetInfo info = import_hdf5(arrays_, options_);
  EXPECT_EQ(info.classes, 5);
  EXPECT_EQ(info.pixel_type, PixelType::kFloat32);
  const DatasetFile file(options_.output);
  std::vector<float> pixels(24);
  file.read_images(Split::kTrain, {0, 2}, std::as_writable_bytes(std::span(pixels)));
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(pixels[i], static_cast<float>(i) / 32);
  std::vector<std::uint16_t> labels(2);
  file.read_labels(Split::kTrain, {0, 2}, labels);
  EXPECT_EQ(labels, (std::vector<std::uint16_t>{4, 0}));
}

TEST_F(ImportHdf5, UnsuitableArraysAreNamed) {
  make(R"(
f["x"], f["y"], f["tx"] = np.zeros((2, 5), "u1"), np.array([0, 70000]), np.zeros((2, 5), "f4")
f["nan"], f["text"], f["none"] = np.array([[0, np.nan]]), np.array([[b"a"]]), np.zeros((0, 5))
f["half"], f["huge"] = np.array([0, 0.5]), np.array([[0, 1e300]])
)");
  const auto expect_refusal = [&](const Hdf5Arrays& arrays,
                                  std::initializer_list<std::string> parts) {
    expect_error<DataError>([&] { import_hdf5(arrays, options_); }, parts);
    EXPECT_FALSE(std::filesystem::exists(options_.output));
  };
  const auto file = arrays_.file;
  expect_refusal({file, "/absent", "", "", ""}, {file.string(), "/absent", "no such array"});
  expect_refusal({file, "/x", "/y", "", ""}, {file.string(), "/y", "sample 1 is 70000"});
  expect_refusal({file, "/x", "/half", "", ""}, {"/half", "sample 1 is 0.5, not an integer"});
  expect_refusal({file, "/x", "", "/tx", ""}, {"/tx", "/x", "uint8"});
  expect_refusal({file, "/nan", "", "", ""}, {"/nan", "feature 1 of sample 0 is nan"});
  expect_refusal({file, "/text", "", "", ""}, {"/text", "not numbers"});
  expect_refusal({file, "/huge", "", "", ""}, {"/huge", "1e+300", "range of float32"});
  expect_refusal({file, "/none", "", "", ""}, {"/none", "holds no samples"});
  expect_refusal({file, "/y", "", "", ""}, {"/y", "it has shape (2)"});
}

}  // namespace
}  // namespace sae
