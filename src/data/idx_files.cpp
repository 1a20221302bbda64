#include "sae/data/idx_files.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "sae/core/error.hpp"

namespace sae {
namespace {

struct UsualName {
  std::string_view ending;
  std::filesystem::path IdxFiles::*file;
};

constexpr std::array<UsualName, 6> kUsualNames{{
    {"train-images-idx3-ubyte", &IdxFiles::train_images},
    {"train-labels-idx1-ubyte", &IdxFiles::train_labels},
    {"t10k-images-idx3-ubyte", &IdxFiles::test_images},
    {"t10k-labels-idx1-ubyte", &IdxFiles::test_labels},
    {"test-images-idx3-ubyte", &IdxFiles::test_images},
    {"test-labels-idx1-ubyte", &IdxFiles::test_labels},
}};

/// The prefix before `-ending` in the file name; none if the name does not match.
std::optional<std::string> name_of_set(std::string file_name, std::string_view ending) {
  if (file_name.ends_with(".gz")) file_name.resize(file_name.size() - 3);
  if (const auto dot = file_name.rfind(".idx"); dot != std::string::npos) file_name[dot] = '-';
  if (!file_name.ends_with(ending)) return std::nullopt;
  file_name.resize(file_name.size() - ending.size());
  if (file_name.empty()) return file_name;
  if (file_name.back() != '-') return std::nullopt;
  file_name.pop_back();
  return file_name;
}

}  // namespace

IdxFiles find_idx_files(const std::filesystem::path& folder, const std::string& set) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) {
    throw MissingInputError(
        fmt::format("Cannot read the folder '{}': {}.", folder.string(), error.message()));
  }
  std::map<std::string, IdxFiles> sets;
  for (const auto& entry : entries) {
    for (const UsualName& usual : kUsualNames) {
      const auto name = name_of_set(entry.path().filename().string(), usual.ending);
      if (!name) continue;
      std::filesystem::path& file = sets[*name].*usual.file;
      // Prefer the plain file to a gzipped one: it is read faster.
      if (file.empty() || entry.path().extension() != ".gz") file = entry.path();
    }
  }
  if (set.empty() && sets.size() > 1 && !sets.contains("")) {
    std::vector<std::string> names;
    names.reserve(sets.size());
    for (const auto& [name, files] : sets) names.push_back(name);
    throw MissingInputError(fmt::format("The folder '{}' holds several data sets, say which: {}.",
                                        folder.string(), fmt::join(names, ", ")));
  }
  // The empty name sorts first.
  IdxFiles found = set.empty() && !sets.empty() ? sets.begin()->second : sets[set];
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
