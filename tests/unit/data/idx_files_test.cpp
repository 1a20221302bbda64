#include "sae/data/idx_files.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <initializer_list>

#include "sae/core/error.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

class FindIdxFiles : public testing::Test {
 protected:
  void make(std::initializer_list<std::string> names) const {
    for (const std::string& name : names) std::ofstream(folder_.path() / name) << "x";
  }
  void expect_found(const IdxFiles& found, std::initializer_list<std::string> names) const {
    auto name = names.begin();
    EXPECT_EQ(found.train_images, folder_.path() / *name++);
    EXPECT_EQ(found.train_labels, folder_.path() / *name++);
    EXPECT_EQ(found.test_images, folder_.path() / *name++);
    EXPECT_EQ(found.test_labels, folder_.path() / *name++);
  }

  TemporaryDirectory folder_;
};

TEST_F(FindIdxFiles, OriginalNamesPackedOrNot) {
  make({"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte.gz", "README", "train-images-idx3-ubyte.gz.part"});
  expect_found(find_idx_files(folder_.path()),
               {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte.gz"});
}

TEST_F(FindIdxFiles, NamesWithADot) {
  make({"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
        "t10k-labels.idx1-ubyte"});
  expect_found(find_idx_files(folder_.path()),
               {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
                "t10k-labels.idx1-ubyte"});
}

TEST_F(FindIdxFiles, PlainFileGoesBeforeThePackedOne) {
  make({"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
        "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"});
  expect_found(find_idx_files(folder_.path()),
               {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte"});
}

TEST_F(FindIdxFiles, OneOfSeveralSetsIsNamed) {
  for (const std::string set : {"emnist-letters", "emnist-digits"}) {
    make({set + "-train-images-idx3-ubyte.gz", set + "-train-labels-idx1-ubyte.gz",
          set + "-test-images-idx3-ubyte.gz", set + "-test-labels-idx1-ubyte.gz"});
  }
  expect_found(
      find_idx_files(folder_.path(), "emnist-letters"),
      {"emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz",
       "emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"});
  expect_error<MissingInputError>([&] { find_idx_files(folder_.path()); },
                                  {folder_.path().string(), "emnist-digits, emnist-letters"});
  expect_error<MissingInputError>([&] { find_idx_files(folder_.path(), "other"); },
                                  {"'other-train-images-idx3-ubyte'"});
}

TEST_F(FindIdxFiles, SetWithoutANameIsTheDefault) {
  make({"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte", "emnist-digits-train-images-idx3-ubyte.gz"});
  expect_found(find_idx_files(folder_.path()),
               {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                "t10k-labels-idx1-ubyte"});
}

TEST_F(FindIdxFiles, MissingFileIsNamed) {
  make({"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"});
  expect_error<MissingInputError>([&] { find_idx_files(folder_.path()); },
                                  {folder_.path().string(), "'t10k-labels-idx1-ubyte'"});
}

TEST_F(FindIdxFiles, MissingFolderIsNamed) {
  expect_error<MissingInputError>([&] { find_idx_files(folder_.path() / "absent"); },
                                  {"absent", "No such file or directory"});
}

}  // namespace
}  // namespace sae
