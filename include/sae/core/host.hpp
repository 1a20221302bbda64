#pragma once

#include <optional>
#include <set>
#include <string>

namespace sae {

/// Name of the host that this process runs on.
std::string host_name();

/// The cores that this process may run on: its binding. A core is named by the first of its
/// hardware threads. Empty if the system does not tell.
std::set<int> allowed_cores();

/// What the system says of its first processor.
struct Processor {
  std::string name;
  bool has_avx2 = false;
  bool has_avx512 = false;
  bool has_avx512_bfloat16 = false;
  bool has_amx_bfloat16 = false;
};

Processor processor();

/// Processor time per time that control groups and Slurm grant to this process and those beside it,
/// in hardware threads. None if there is no limit that can be seen.
std::optional<double> granted_cores();

/// Memory that can be taken without swapping, as far as control groups and Slurm allow, in bytes; 0
/// if the system does not tell.
double available_memory();

/// From here on the allocator keeps up to 64 MB that were freed, in pieces of up to 32 MB: for work
/// in rounds, each of which would get its memory from the system anew.
void keep_freed_memory();

/// Gives memory that was freed back to the system: the allocator keeps it otherwise, up to tens of
/// MB.
void return_freed_memory();

}  // namespace sae
