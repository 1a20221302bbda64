#pragma once

#include <optional>
#include <set>
#include <string>

namespace sae {

/// Name of the host that this process runs on.
std::string host_name();

/// The cores that this process is bound to, each by its first hardware thread. Empty if unknown.
std::set<int> allowed_cores();

/// The first processor of the host.
struct Processor {
  std::string name;
  bool has_avx2 = false;
  bool has_avx512 = false;
  bool has_avx512_bfloat16 = false;
  bool has_amx_bfloat16 = false;
};

Processor processor();

/// CPU quota of control groups and Slurm for this process and its siblings, in hardware threads.
/// None if no limit is visible.
std::optional<double> granted_cores();

/// Memory that can be allocated without swapping and within the limits of control groups and Slurm,
/// in bytes; 0 if unknown.
double available_memory();

/// Makes the allocator keep up to 64 MB of freed memory, in blocks of up to 32 MB. For loops whose
/// iterations would otherwise request the same memory from the system again.
void keep_freed_memory();

/// Returns freed memory to the system, of which the allocator otherwise keeps tens of MB.
void return_freed_memory();

}  // namespace sae
