#include "search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <vector>

#include "sae/config/recipes.hpp"
#include "sae/core/error.hpp"
#include "sae/core/suggestion.hpp"

namespace sae {
namespace {

namespace fs = std::filesystem;

/// Candidate paths of `name` in our data folder, in order of preference.
std::vector<fs::path> candidates(const fs::path& name) {
  std::vector<fs::path> paths = {"data" / name};
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return paths;
  paths.push_back(program.parent_path() / "../share/sae_dist" / name);
  // From a build folder up to its source folder.
  fs::path folder = program.parent_path();
  for (int level = 0; level < 4; ++level) {
    folder = folder.parent_path();
    paths.push_back(folder / "data" / name);
  }
  return paths;
}

std::optional<fs::path> find_first(const std::vector<fs::path>& paths) {
  std::error_code error;
  for (const fs::path& path : paths) {
    if (fs::exists(path, error)) return path.lexically_normal();
  }
  return std::nullopt;
}

[[noreturn]] void fail_to_find(const std::string& what, const std::vector<fs::path>& paths,
                               const std::string& hint = "") {
  std::vector<std::string> looked_at;
  for (const fs::path& path : paths) {
    std::string place = path.lexically_normal().string();
    if (std::ranges::find(looked_at, place) == looked_at.end()) looked_at.push_back(place);
  }
  throw MissingInputError(
      fmt::format("Found no {}; looked at {}.{}", what, fmt::join(looked_at, ", "), hint));
}

/// Returns rank 0's text on every rank. Collective.
std::string broadcast_text(const std::string& text, Communicator& comm) {
  return comm.allgather(text)[0];
}

std::string read_local(const fs::path& file) {
  std::error_code error;
  std::ifstream stream(file);
  const int reason = errno;
  if (!stream || fs::is_directory(file, error)) {
    throw MissingInputError(fmt::format("Cannot read the file {}: {}.", file.string(),
                                        stream ? "it is a folder" : std::strerror(reason)));
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string local_recipe(const std::string& name) {
  const auto paths = candidates(fs::path("recipes") / (name + ".cfg"));
  if (const auto found = find_first(paths)) return read_local(*found);
  const auto built_in = built_in_recipes().find(name);
  if (built_in != built_in_recipes().end()) return built_in->second;
  std::vector<std::string> names;
  for (const auto& [known, text] : built_in_recipes()) names.push_back(known);
  fail_to_find("recipe '" + name + "'", paths,
               fmt::format(" There are {}.{}", fmt::join(names, ", "), did_you_mean(name, names)));
}

std::string data_of_environment() {
  const char* const named = std::getenv("SAE_DATA");
  return named == nullptr ? "" : named;
}

}  // namespace

fs::path find_dataset_here(const fs::path& given) {
  if (!given.empty()) return given;
  if (const std::string named = data_of_environment(); !named.empty()) return named;
  const auto paths = candidates("mnist.h5");
  if (const auto found = find_first(paths)) return *found;
  fail_to_find("data set (--data, $SAE_DATA)", paths);
}

fs::path find_dataset(const fs::path& given, Communicator& comm) {
  if (!given.empty()) return given;
  return broadcast_text(comm.is_root() ? find_dataset_here(given).string() : "", comm);
}

std::string read_recipe(const std::string& name, Communicator& comm) {
  return broadcast_text(comm.is_root() ? local_recipe(name) : std::string(), comm);
}

bool environment_names_data(Communicator& comm) {
  return broadcast_text(comm.is_root() ? data_of_environment() : "", comm) != "";
}

std::string read_text(const fs::path& file, Communicator& comm) {
  return broadcast_text(comm.is_root() ? read_local(file) : std::string(), comm);
}

}  // namespace sae
