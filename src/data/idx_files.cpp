#include "sae/data/idx_files.hpp"

#include <fmt/format.h>

#include <map>
#include <regex>
#include <system_error>
#include <vector>

#include "sae/core/error.hpp"

namespace sae {

IdxFiles find_idx_files(const std::filesystem::path& folder, const std::string& set) {
  static const std::regex usual(
      "(?:(.+)-)?(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\\.gz)?");
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) {
    throw MissingInputError(
        fmt::format("Cannot read the folder '{}': {}.", folder.string(), error.message()));
  }
  std::map<std::string, IdxFiles> sets;
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    std::smatch parts;
    if (!std::regex_match(name, parts, usual)) continue;
    IdxFiles& files = sets[parts[1]];
    std::filesystem::path& file =
        parts[2] == "train" ? (parts[3] == "images" ? files.train_images : files.train_labels)
                            : (parts[3] == "images" ? files.test_images : files.test_labels);
    // Of a plain and a packed file of one name the plain one: it is read faster.
    if (file.empty() || !parts[4].matched) file = entry.path();
  }
  if (set.empty() && sets.size() > 1 && !sets.contains("")) {
    std::vector<std::string> names;
    for (const auto& [name, files] : sets) names.push_back(name);
    throw MissingInputError(fmt::format("The folder '{}' holds several data sets, say which: {}.",
                                        folder.string(), fmt::join(names, ", ")));
  }
  // The empty name sorts first.
  const IdxFiles found = set.empty() && !sets.empty() ? sets.begin()->second : sets[set];
  const auto require = [&](const std::filesystem::path& file, const std::string& usual_name) {
    if (!file.empty()) return;
    throw MissingInputError(fmt::format("The folder '{}' holds no file '{}{}{}' (or with .gz).",
                                        folder.string(), set, set.empty() ? "" : "-", usual_name));
  };
  require(found.train_images, "train-images-idx3-ubyte");
  require(found.train_labels, "train-labels-idx1-ubyte");
  require(found.test_images, "t10k-images-idx3-ubyte");
  require(found.test_labels, "t10k-labels-idx1-ubyte");
  return found;
}

}  // namespace sae
