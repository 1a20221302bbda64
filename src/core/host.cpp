#include "sae/core/host.hpp"

#include <hwloc.h>
#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "control_groups.hpp"

namespace sae {
namespace {

/// Maps hardware threads to cores.
class CoreMap {
 public:
  CoreMap() {
    if (hwloc_topology_init(&topology_) != 0) return;
    hwloc_topology_set_all_types_filter(topology_, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_type_filter(topology_, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_load(topology_);
  }
  ~CoreMap() { hwloc_topology_destroy(topology_); }
  CoreMap(const CoreMap&) = delete;
  CoreMap& operator=(const CoreMap&) = delete;

  /// The first hardware thread of this thread's core; `thread` itself if unknown.
  int core_of(unsigned thread) const {
    const hwloc_obj_t unit = hwloc_get_pu_obj_by_os_index(topology_, thread);
    const hwloc_obj_t core =
        unit == nullptr ? nullptr : hwloc_get_ancestor_obj_by_type(topology_, HWLOC_OBJ_CORE, unit);
    return core == nullptr ? static_cast<int>(thread) : hwloc_bitmap_first(core->cpuset);
  }

 private:
  hwloc_topology_t topology_ = nullptr;
};

/// The value of an environment variable; none unless it is a number above 0.
std::optional<double> positive_variable(const char* name) {
  const char* text = std::getenv(name);
  const double value = text == nullptr ? 0 : std::atof(text);
  return value > 0 ? std::optional(value) : std::nullopt;
}

/// Memory of this node that Slurm allocated to the job, in bytes. Slurm may enforce it without
/// control groups.
std::optional<double> memory_of_job() {
  constexpr double kMegabyte = 1 << 20;
  if (const auto node = positive_variable("SLURM_MEM_PER_NODE")) return *node * kMegabyte;
  const auto of_core = positive_variable("SLURM_MEM_PER_CPU");
  const auto cores = positive_variable("SLURM_CPUS_ON_NODE");
  return of_core && cores ? std::optional(*of_core * *cores * kMegabyte) : std::nullopt;
}

/// Memory of the whole host that can be allocated without swapping, in bytes.
double free_memory_of_host() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  for (std::string rest; file >> name; std::getline(file, rest)) {
    if (double kilobytes = 0; name == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::set<int> allowed_cores() {
  static const CoreMap map;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::set<int> cores;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return cores;
  for (unsigned thread = 0; thread < CPU_SETSIZE; ++thread) {
    if (CPU_ISSET(thread, &mask)) cores.insert(map.core_of(thread));
  }
  return cores;
}

Processor processor() {
  Processor result;
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("model name")) result.name = value;
    if (line.starts_with("flags")) {
      std::istringstream words(value);
      flags = {std::istream_iterator<std::string>(words), {}};
    }
  }
  result.has_avx2 = flags.contains("avx2");
  result.has_avx512 = flags.contains("avx512f");
  result.has_avx512_bfloat16 = flags.contains("avx512_bf16");
  result.has_amx_bfloat16 = flags.contains("amx_bf16");
  return result;
}

std::optional<double> granted_cores() {
  std::optional<double> granted = control_group_limits().cores;
  if (const auto of_job = positive_variable("SLURM_CPUS_ON_NODE")) {
    granted = std::min(granted.value_or(*of_job), *of_job);
  }
  return granted;
}

double available_memory() {
  double available = free_memory_of_host();
  for (const auto& limit : {control_group_limits().free_memory, memory_of_job()}) {
    if (limit) available = std::min(available, *limit);
  }
  return available;
}

void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

void return_freed_memory() { malloc_trim(0); }

}  // namespace sae
