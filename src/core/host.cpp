#include "sae/core/host.hpp"

#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sae {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::set<int> allowed_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::set<int> cores;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return cores;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) cores.insert(static_cast<int>(core));
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
  // Version 2 of control groups, then version 1, as seen from within a container.
  std::string quota;
  double period = 0;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); !(file >> quota >> period)) {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  const double microseconds = std::atof(quota.c_str());  // "max" and -1: no limit.
  if (microseconds <= 0 || period <= 0) return std::nullopt;
  return microseconds / period;
}

double available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  for (std::string rest; file >> name; std::getline(file, rest)) {
    if (double kilobytes = 0; name == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

void return_freed_memory() { malloc_trim(0); }

}  // namespace sae
