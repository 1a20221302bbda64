#include "control_groups.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace sae {
namespace {

namespace fs = std::filesystem;

/// Version 1 writes a huge number, in whole pages, for no limit.
constexpr double kNoLimit = 1e18;

/// A mounted control group file system.
struct Hierarchy {
  std::string type;     // cgroup or cgroup2.
  std::string options;  // Version 1: the controllers, separated by commas.
  std::string top;      // The group mounted at `folder`.
  std::string folder;
};

std::vector<std::string> words_of(const std::string& text, char separator) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; std::getline(stream, word, separator);) words.push_back(word);
  return words;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

/// Line format, see proc(5): id, parent, device, root, folder, options, optional fields, "-", type,
/// source, options.
std::vector<Hierarchy> hierarchies(const fs::path& root) {
  std::vector<Hierarchy> found;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto words = words_of(line, ' ');
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    if (dash[1] == "cgroup" || dash[1] == "cgroup2") {
      found.push_back({.type = dash[1], .options = dash[3], .top = words[3], .folder = words[4]});
    }
  }
  return found;
}

/// Folders of the group and of its ancestors, as far as visible.
std::vector<fs::path> folders_of(const std::string& group, const Hierarchy& hierarchy,
                                 const fs::path& root) {
  const fs::path top = root / fs::path(hierarchy.folder).relative_path();
  // In a container the group may have the host's name, of which only the last folder is visible.
  const fs::path below = fs::path(group).lexically_relative(hierarchy.top);
  std::vector<fs::path> folders = {top};
  if (below.empty() || *below.begin() == "..") return folders;
  for (const fs::path& name : below) {
    if (name != "." && !name.empty()) folders.push_back(folders.back() / name);
  }
  return folders;
}

std::optional<double> number_in(const fs::path& file) {
  double number = 0;
  if (std::ifstream stream(file); stream >> number) return number;
  return std::nullopt;  // Also "max".
}

/// The number of this name in a file of `name number` lines; 0 if missing.
double number_of(const std::string& name, const fs::path& file) {
  std::ifstream stream(file);
  double number = 0;
  for (std::string found; stream >> found >> number;) {
    if (found == name) return number;
  }
  return 0;
}

void lower(std::optional<double>& limit, double value) {
  limit = std::min(limit.value_or(value), value);
}

/// File names of one version.
struct MemoryFiles {
  std::vector<const char*> limits;
  const char* usage;
  const char* prefix;  // Of the entries of memory.stat that include descendant groups.
};

const MemoryFiles kMemoryVersion1{{"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_"};
const MemoryFiles kMemoryVersion2{{"memory.max", "memory.high"}, "memory.current", ""};

void apply_memory(const fs::path& folder, const MemoryFiles& files, GroupLimits& limits) {
  for (const char* name : files.limits) {
    const auto limit = number_in(folder / name);
    const auto usage = number_in(folder / files.usage);
    if (!limit || !usage || *limit > kNoLimit) continue;
    // The kernel drops cached files when memory is needed.
    double files_kept = 0;
    for (const char* kind : {"active_file", "inactive_file"}) {
      files_kept += number_of(std::string(files.prefix) + kind, folder / "memory.stat");
    }
    lower(limits.free_memory, std::clamp(*limit - *usage + files_kept, 0.0, *limit));
  }
}

void apply_quota(double quota, double period, GroupLimits& limits) {
  if (quota > 0 && period > 0) lower(limits.cores, quota / period);
}

void apply_version_1(const fs::path& folder, const std::vector<std::string>& controllers,
                     GroupLimits& limits) {
  if (contains(controllers, "memory")) apply_memory(folder, kMemoryVersion1, limits);
  if (contains(controllers, "cpu")) {
    apply_quota(number_in(folder / "cpu.cfs_quota_us").value_or(-1),
                number_in(folder / "cpu.cfs_period_us").value_or(0), limits);
  }
}

void apply_version_2(const fs::path& folder, GroupLimits& limits) {
  apply_memory(folder, kMemoryVersion2, limits);
  double quota = 0;
  double period = 0;
  if (std::ifstream file(folder / "cpu.max"); file >> quota >> period) {
    apply_quota(quota, period, limits);
  }
}

}  // namespace

GroupLimits control_group_limits(const fs::path& root) {
  GroupLimits limits;
  const std::vector<Hierarchy> mounted = hierarchies(root);
  std::ifstream file(root / "proc/self/cgroup");
  // A line is "number:controllers:group"; version 2 has no controllers there.
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string group = line.substr(second + 1);
    const auto controllers = words_of(line.substr(first + 1, second - first - 1), ',');
    const bool version_2 = controllers.empty();
    for (const Hierarchy& hierarchy : mounted) {
      if ((hierarchy.type == "cgroup2") != version_2) continue;
      const auto options = words_of(hierarchy.options, ',');
      if (!version_2 && !contains(options, controllers.front())) continue;
      for (const fs::path& folder : folders_of(group, hierarchy, root)) {
        if (version_2) {
          apply_version_2(folder, limits);
        } else {
          apply_version_1(folder, controllers, limits);
        }
      }
      break;
    }
  }
  return limits;
}

}  // namespace sae
