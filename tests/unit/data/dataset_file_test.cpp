#include "sae/data/dataset_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <numeric>
#include <vector>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/ordinary_user.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {
namespace {

std::vector<std::uint16_t> labels_of(const DatasetFile& file, Split split) {
  std::vector<std::uint16_t> labels(static_cast<std::size_t>(file.info().count(split)));
  file.read_labels(split, {0, file.info().count(split)}, labels);
  return labels;
}

class DatasetFileTest : public testing::Test {
 protected:
  /// A good data set, before `change` makes it another.
  template <typename Change>
  void write(Change change) const {
    auto file = Hdf5File::create(path_);
    file.write_string("/", "format", "sae-dataset");
    file.write_integer("/", "version", 1);
    file.write_string("/", "name", "toy");
    file.write_integer("/", "classes", 3);
    change(file);
    file.close();
  }
  static void add_images(Hdf5File& file, const std::string& name, const std::vector<Index>& shape) {
    file.write<std::uint8_t>(name, shape, std::vector<std::uint8_t>(size_of(shape), 200));
  }
  static void add_floats(Hdf5File& file, const std::string& name, const std::vector<Index>& shape) {
    file.write<float>(name, shape, std::vector<float>(size_of(shape), 0.5f));
  }
  static void add_labels(Hdf5File& file, const std::string& name,
                         const std::vector<std::int64_t>& labels) {
    file.write<std::int64_t>(name, {static_cast<Index>(labels.size())}, labels);
  }
  static std::size_t size_of(const std::vector<Index>& shape) {
    return static_cast<std::size_t>(
        std::accumulate(shape.begin(), shape.end(), Index{1}, std::multiplies<>()));
  }

  void expect_refusal(std::initializer_list<std::string> parts) const {
    expect_error<DataError>([this] { DatasetFile{path_}; }, {path_.string()});
    expect_error<DataError>([this] { DatasetFile{path_}; }, parts);
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "data.h5";
};

TEST_F(DatasetFileTest, WhatIsWrittenIsReadInAnyRange) {
  for (const PixelType type : {PixelType::kUint8, PixelType::kFloat32}) {
    const TinyDataset tiny{.pixel_type = type};
    tiny.write(path_);
    const DatasetFile file(path_);
    for (const Split split : {Split::kTrain, Split::kTest}) {
      for (const Range range : {Range{0, file.info().count(split)}, {5, 18}, {30, 31}, {9, 9}}) {
        std::vector<std::byte> images(static_cast<std::size_t>(range.size()) *
                                      file.info().bytes_per_sample());
        std::vector<std::uint16_t> labels(static_cast<std::size_t>(range.size()));
        file.read_images(split, range, images);
        file.read_labels(split, range, labels);
        for (Index i = 0; i < range.size() * tiny.features(); ++i) {
          const std::uint8_t expected =
              tiny.pixel(split, range.begin + i / tiny.features(), i % tiny.features());
          if (type == PixelType::kUint8) {
            ASSERT_EQ(static_cast<std::uint8_t>(images[static_cast<std::size_t>(i)]), expected);
          } else {
            float found = 0;
            std::memcpy(&found, images.data() + static_cast<std::size_t>(i) * 4, 4);
            ASSERT_EQ(found, static_cast<float>(expected) / 255.0f);
          }
        }
        for (std::size_t i = 0; i < labels.size(); ++i) {
          ASSERT_EQ(labels[i], tiny.label(split, range.begin + static_cast<Index>(i)));
        }
      }
    }
  }
}

TEST_F(DatasetFileTest, InfoTellsWhatIsInTheFile) {
  DatasetInfo written;
  written.name = "Ž";
  written.source = "somebody";
  written.license = "CC0";
  written.classes = 7;
  written.features = 6;
  written.train_count = 2;
  {
    DatasetWriter writer(path_, written);
    writer.append_images(Split::kTrain, std::vector<std::byte>(12));
    writer.finish();
  }
  const DatasetInfo info = DatasetFile(path_).info();
  EXPECT_EQ(info.name, "Ž");
  EXPECT_EQ(info.source, "somebody");
  EXPECT_EQ(info.license, "CC0");
  EXPECT_EQ(info.classes, 7);
  EXPECT_EQ(info.features, 6);
  EXPECT_EQ(info.height, 0);
  EXPECT_EQ(info.width, 0);
  EXPECT_EQ(info.train_count, 2);
  EXPECT_EQ(info.test_count, 0);
  EXPECT_FALSE(info.has_train_labels || info.has_test_labels);
  expect_error<DataError>([&] { labels_of(DatasetFile(path_), Split::kTrain); },
                          {path_.string(), "/train/labels is missing"});
}

TEST_F(DatasetFileTest, H5pyReadsWhatIsWritten) {
  TinyDataset{}.write(path_);
  run_python(folder_.path(), R"(
f = h5py.File("data.h5", "r")
assert f.attrs["format"] == "sae-dataset" and f.attrs["version"] == 1
assert f.attrs["name"] == "tiny" and f.attrs["classes"] == 3 and "source" not in f.attrs
for split, count in ("train", 97), ("test", 31):
    images, labels = f[split]["images"], f[split]["labels"]
    assert images.shape == (count, 6, 5) and images.dtype == "u1" and labels.shape == (count,)
    for d in images, labels:
        assert d.fletcher32 and d.shuffle and d.compression == "gzip" and d.chunks
    bright = images[:].reshape(count, 30) > 127
    assert (bright == (np.arange(30) % 3 == labels[:][:, None])).all()
)");
}

TEST_F(DatasetFileTest, WhatH5pyWritesIsRead) {
  run_python(folder_.path(), R"(
with h5py.File("data.h5", "w") as file:
    file.attrs.update(format="sae-dataset", version=1, name="mine", classes=np.uint8(4))
    file["/train/images"] = np.arange(24, dtype=">f4").reshape(2, 3, 4) / 32
    file.create_dataset("/train/labels", data=np.array([3, 0], ">i2"), chunks=(1,))
    file["/test/images"] = np.ones((1, 3, 4), "f4")
)");
  const DatasetFile file(path_);
  EXPECT_EQ(file.info().classes, 4);
  EXPECT_EQ(file.info().height, 3);
  EXPECT_EQ(file.info().width, 4);
  EXPECT_FALSE(file.info().has_test_labels);
  std::vector<float> pixels(12);
  file.read_images(Split::kTrain, {1, 2}, std::as_writable_bytes(std::span(pixels)));
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(pixels[i], static_cast<float>(12 + i) / 32);
  EXPECT_EQ(labels_of(file, Split::kTrain), (std::vector<std::uint16_t>{3, 0}));
}

TEST_F(DatasetFileTest, ManyLabelsAreReadInBlocks) {
  write([&](Hdf5File& file) {
    add_images(file, "/train/images", {70'001, 1});
    std::vector<std::int64_t> labels(70'001);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<Index>(i) % 65'535;
    labels.back() = 65'535;
    add_labels(file, "/train/labels", labels);
    file.write_integer("/", "classes", 65'535);
  });
  const DatasetFile file(path_);
  std::vector<std::uint16_t> labels(69'999);
  file.read_labels(Split::kTrain, {1, 70'000}, labels);
  for (std::size_t i = 0; i < labels.size(); ++i) ASSERT_EQ(labels[i], (i + 1) % 65'535);
  expect_error<DataError>([&] { labels_of(file, Split::kTrain); },
                          {path_.string(), "/train/labels", "sample 70000 is 65535"});
}

TEST_F(DatasetFileTest, WrongLabelIsNamedWhenItIsRead) {
  for (const std::int64_t wrong : {3, -2}) {
    write([&](Hdf5File& file) {
      add_images(file, "/train/images", {4, 5});
      add_labels(file, "/train/labels", {0, 2, wrong, 1});
    });
    expect_error<DataError>(
        [&] { labels_of(DatasetFile(path_), Split::kTrain); },
        {path_.string(), "/train/labels", "sample 2 is " + std::to_string(wrong)});
  }
}

TEST_F(DatasetFileTest, ValueThatIsNotFiniteIsNamedWhenItIsRead) {
  write([](Hdf5File& file) {
    std::vector<float> pixels(20, 0.5f);
    pixels[13] = std::numeric_limits<float>::infinity();
    file.write<float>("/train/images", {4, 5}, pixels);
  });
  const DatasetFile file(path_);
  std::vector<std::byte> out(3 * 20);
  EXPECT_NO_THROW(file.read_images(Split::kTrain, {0, 2}, std::span(out).first(40)));
  expect_error<DataError>(
      [&] {
        file.read_images(Split::kTrain, {1, 4}, out);
      },
      {path_.string(), "/train/images", "feature 3 of sample 2 is inf"});
}

TEST_F(DatasetFileTest, RangeOutsideTheSplitIsRefused) {
  TinyDataset{}.write(path_);
  const DatasetFile file(path_);
  std::vector<std::byte> images(60);
  std::vector<std::uint16_t> labels(2);
  expect_error<DataError>(
      [&] {
        file.read_images(Split::kTest, {30, 32}, images);
      },
      {path_.string(), "/test/images", "31 rows", "[30, 32)"});
  expect_error<DataError>(
      [&] {
        file.read_labels(Split::kTest, {30, 32}, labels);
      },
      {path_.string(), "/test/labels", "31 rows", "[30, 32)"});
}

TEST_F(DatasetFileTest, FileOfAnotherFormatIsRefused) {
  Hdf5File::create(path_).close();
  expect_refusal({"'format' and 'version' are missing", "sae_dist import"});
  write([](Hdf5File& file) { file.write_string("/", "format", "sae-checkpoint"); });
  expect_refusal({"'sae-checkpoint', not 'sae-dataset'"});
  write([](Hdf5File& file) { file.write_integer("/", "version", 3); });
  expect_refusal({"format version 3; this program reads versions up to 2"});
}

TEST_F(DatasetFileTest, MissingImagesAreNamed) {
  write([](Hdf5File& file) { add_images(file, "/test/images", {4, 5}); });
  expect_refusal({"/train/images is missing"});
}

TEST_F(DatasetFileTest, ImagesOfAnotherShapeOrTypeAreRefused) {
  write([](Hdf5File& file) { add_images(file, "/train/images", {4}); });
  expect_refusal({"/train/images has shape (4)"});
  write([](Hdf5File& file) { add_images(file, "/train/images", {4, 2, 2, 3}); });
  expect_refusal({"/train/images has shape (4, 2, 2, 3)"});
  write([](Hdf5File& file) { add_images(file, "/train/images", {4, 0}); });
  expect_refusal({"/train/images has shape (4, 0)"});
  write([](Hdf5File& file) { add_images(file, "/train/images", {1, 4097, 4096}); });
  expect_refusal({"/train/images has shape (1, 4097, 4096)", "16777216"});
  write([](Hdf5File& file) { add_images(file, "/train/images", {0, 5}); });
  expect_refusal({"/train/images holds no samples"});
  write([](Hdf5File& file) {
    file.write<double>("/train/images", {1, 2}, std::vector<double>{0, 1});
  });
  expect_refusal({"/train/images are float64"});
}

TEST_F(DatasetFileTest, ImagesAndLabelsOfDifferentCountsAreRefused) {
  write([](Hdf5File& file) {
    add_images(file, "/train/images", {4, 5});
    add_labels(file, "/train/labels", {0, 1, 2});
  });
  expect_refusal({"/train/labels has shape (3)", "4 images"});
  write([](Hdf5File& file) {
    add_images(file, "/train/images", {4, 5});
    add_labels(file, "/test/labels", {0});
  });
  expect_refusal({"/test/labels has shape (1)", "0 images"});
}

TEST_F(DatasetFileTest, LabelsThatAreNotIntegersAreRefused) {
  write([](Hdf5File& file) {
    add_images(file, "/train/images", {4, 5});
    add_floats(file, "/train/labels", {4});
  });
  expect_refusal({"/train/labels are float32, not integers"});
}

TEST_F(DatasetFileTest, TestImagesUnlikeTrainingImagesAreRefused) {
  write([](Hdf5File& file) {
    add_images(file, "/train/images", {4, 6});
    add_images(file, "/test/images", {4, 2, 3});
  });
  expect_refusal({"/train/images have shape (6)", "/test/images (2, 3)"});
  write([](Hdf5File& file) {
    add_images(file, "/train/images", {4, 6});
    add_floats(file, "/test/images", {4, 6});
  });
  expect_refusal({"different element types"});
}

TEST_F(DatasetFileTest, NumberOfClassesIsChecked) {
  for (const std::int64_t classes : {0, -1, 65'536}) {
    write([&](Hdf5File& file) {
      add_images(file, "/train/images", {1, 5});
      add_labels(file, "/train/labels", {0});
      file.write_integer("/", "classes", classes);
    });
    expect_refusal({"'classes' is " + std::to_string(classes)});
  }
}

TEST_F(DatasetFileTest, WhatIsNotAnHdf5FileIsRefused) {
  std::ofstream(path_) << "images, labels";
  expect_refusal({"is not an HDF5 file"});
}

TEST_F(DatasetFileTest, WhatCrashesTheLibraryIsRefused) {
  path_ = std::filesystem::path(SAE_SOURCE_DIR) / "tests/fuzz/corpus/dataset/damaged_heap.h5";
  expect_refusal({"is damaged: the HDF5 library ended", "in a trial process"});
}

TEST_F(DatasetFileTest, TellsOfEachBlockThatIsTried) {
  run_python(folder_.path(), R"(
images = np.zeros((5, 1 << 20), np.uint8)
for name, chunks in ("chunks", (1, 1 << 20)), ("contiguous", None):
  with h5py.File(name + ".h5", "w") as f:
    f.attrs.update(format="sae-dataset", version=1, name="large", classes=0)
    f.create_dataset("train/images", data=images, chunks=chunks)
)");
  const auto signs = [this](const char* name) {
    int count = 0;
    const DatasetFile file(folder_.path() / name, [&count] { ++count; });
    return count;
  };
  constexpr int kTables = 1;
  EXPECT_EQ(signs("chunks.h5"), kTables + 5);
  EXPECT_EQ(signs("contiguous.h5"), kTables);
}

TEST_F(DatasetFileTest, WhatCannotBeOpenedIsMissingInput) {
  expect_error<MissingInputError>([&] { DatasetFile{path_}; }, {path_.string(), "No such file"});
  expect_error<MissingInputError>([&] { DatasetFile{folder_.path()}; }, {"it is a folder"});
  TinyDataset{}.write(path_);
  std::filesystem::permissions(folder_.path(), std::filesystem::perms{0755});
  std::filesystem::permissions(path_, std::filesystem::perms::none);
  const OrdinaryUser user;
  expect_error<MissingInputError>([&] { DatasetFile{path_}; },
                                  {path_.string(), "Permission denied"});
}

TEST_F(DatasetFileTest, MnistHoldsTheOriginals) {
  const DatasetFile file(std::filesystem::path(SAE_SOURCE_DIR) / "data" / "mnist.h5");
  // Sums and counts of the original files.
  EXPECT_EQ(file.info().height, 28);
  EXPECT_EQ(file.info().width, 28);
  EXPECT_EQ(file.info().classes, 10);
  const auto sum_of_pixels = [&](Split split) {
    std::vector<std::byte> images(static_cast<std::size_t>(file.info().count(split)) * 784);
    file.read_images(split, {0, file.info().count(split)}, images);
    return std::accumulate(images.begin(), images.end(), Index{0}, [](Index sum, std::byte pixel) {
      return sum + std::to_integer<Index>(pixel);
    });
  };
  const auto counts = [&](Split split) {
    std::vector<Index> result(10);
    for (const std::uint16_t label : labels_of(file, split)) ++result[label];
    return result;
  };
  EXPECT_EQ(sum_of_pixels(Split::kTrain), 1'567'298'545);
  EXPECT_EQ(sum_of_pixels(Split::kTest), 264'923'200);
  EXPECT_EQ(counts(Split::kTrain),
            (std::vector<Index>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(counts(Split::kTest),
            (std::vector<Index>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
}

}  // namespace
}  // namespace sae
