#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "sae/data/dataset_file.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {
namespace {

TEST(DatasetWriter, NothingAppearsBeforeTheEnd) {
  const TemporaryDirectory folder;
  DatasetInfo info;
  info.features = 5;
  info.train_count = 2;
  {
    DatasetWriter writer(folder.path() / "data.h5", info);
    writer.append_images(Split::kTrain, std::vector<std::byte>(5));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "data.h5"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(DatasetWriter, SameSamplesGiveTheSameBytes) {
  const TemporaryDirectory folder;
  std::vector<std::string> bytes;
  for (const char* name : {"first.h5", "second.h5"}) {
    TinyDataset{}.write(folder.path() / name);
    std::ostringstream content;
    content << std::ifstream(folder.path() / name, std::ios::binary).rdbuf();
    bytes.push_back(content.str());
  }
  EXPECT_TRUE(bytes[0] == bytes[1]);
}

TEST(DatasetWriter, ASampleMayHaveNoLabel) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "data.h5";
  DatasetInfo info = TinyDataset{}.info();
  info.lacks_labels = true;
  info.test_count = 0;
  info.has_test_labels = false;
  info.train_count = 3;
  DatasetWriter writer(path, info);
  writer.append_images(Split::kTrain,
                       std::vector<std::byte>(3 * info.bytes_per_sample(), std::byte{1}));
  writer.append_labels(Split::kTrain, std::vector<std::uint16_t>{1, kNoLabel, 0});
  writer.finish();
  std::vector<std::uint16_t> labels(3);
  DatasetFile(path).read_labels(Split::kTrain, {0, 3}, labels);
  EXPECT_EQ(labels, (std::vector<std::uint16_t>{1, kNoLabel, 0}));
  std::vector<std::int64_t> stored(3);
  Hdf5File::open(path).read_rows("/train/labels", {0, 3}, std::span(stored));
  EXPECT_EQ(stored, (std::vector<std::int64_t>{1, -1, 0}));
}

}  // namespace
}  // namespace sae
