#pragma once

#include <filesystem>
#include <string>

namespace sae {

/// The files of an IDX data set, plain or packed with gzip. Empty: there is none.
struct IdxFiles {
  std::filesystem::path train_images;
  std::filesystem::path train_labels;
  std::filesystem::path test_images;
  std::filesystem::path test_labels;
};

/// The files in `folder` by their usual names, such as train-images-idx3-ubyte.gz and
/// t10k-labels.idx1-ubyte, or emnist-letters-test-images-idx3-ubyte.gz. `set` is what
/// stands before (train|t10k|test)-, such as "emnist-letters"; it may be empty if the
/// folder holds one set only, or one without such a name. Of a plain and a packed file of
/// one name the plain one is taken.
/// Throws: MissingInputError naming what is missing or the sets to choose from.
IdxFiles find_idx_files(const std::filesystem::path& folder, const std::string& set = "");

}  // namespace sae
