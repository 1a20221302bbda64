#pragma once

#include <filesystem>
#include <string>

namespace sae {

/// The files of an IDX data set, plain or gzipped. An empty path means that there is none.
struct IdxFiles {
  std::filesystem::path train_images;
  std::filesystem::path train_labels;
  std::filesystem::path test_images;
  std::filesystem::path test_labels;
};

/// Finds the files in `folder` by their usual names, such as train-images-idx3-ubyte.gz,
/// t10k-labels.idx1-ubyte or emnist-letters-test-images-idx3-ubyte.gz. `set` is the prefix before
/// (train|t10k|test)-, such as "emnist-letters"; it may be empty if the folder holds one set only,
/// or one without a prefix. Prefers a plain file to a gzipped one of the same name.
/// Throws: MissingInputError naming what is missing or the sets to choose from.
IdxFiles find_idx_files(const std::filesystem::path& folder, const std::string& set = "");

}  // namespace sae
