#include <gtest/gtest.h>

#include "sae/core/error.hpp"
#include "sae/data/dataset_file.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"
#include "support/tiny_dataset.hpp"

namespace sae {
namespace {

struct NamesAndLabels : testing::Test {
  TemporaryDirectory folder;
  std::filesystem::path path_ = folder.path() / "names.h5";
};

TEST_F(NamesAndLabels, NamesAreKept) {
  DatasetInfo info = TinyDataset{}.info();
  info.test_count = 0;
  info.has_test_labels = false;
  info.train_count = 1;
  info.class_names.resize(static_cast<std::size_t>(info.classes),
                          "Gr\xc3\xbc\xc3\x9f"
                          "e");
  for (Index i = 0; i < info.features; ++i) {
    info.feature_names.push_back(std::string(static_cast<std::size_t>(i), 'x'));
  }
  DatasetWriter writer(path_, info);
  writer.append_images(Split::kTrain, std::vector<std::byte>(info.bytes_per_sample()));
  writer.append_labels(Split::kTrain, std::vector<std::uint16_t>{1});
  writer.finish();
  const DatasetFile file(path_);
  EXPECT_EQ(file.info().class_names, info.class_names);
  EXPECT_EQ(file.info().feature_names, info.feature_names);
  EXPECT_EQ(Hdf5File::open(path_).read_integer("/", "version"), 2);
}

TEST_F(NamesAndLabels, NamesThatAreTooFewAreRefused) {
  DatasetInfo info = TinyDataset{}.info();
  info.test_count = 0;
  info.has_test_labels = info.has_train_labels = false;
  info.train_count = 1;
  info.feature_names = {"a", "b"};
  DatasetWriter writer(path_, info);
  writer.append_images(Split::kTrain, std::vector<std::byte>(info.bytes_per_sample()));
  writer.finish();
  expect_error<DataError>([&] { DatasetFile file(path_); },
                          {path_.string(), "/feature_names has shape (2)", "30 features"});
}

}  // namespace
}  // namespace sae
