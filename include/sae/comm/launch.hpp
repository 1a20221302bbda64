#pragma once

#include <string>

namespace sae {

/// This process's rank as its launcher's variables tell it, before MPI has started; 0 if none does.
int launched_rank();

/// What is wrong, and the remedy, where Slurm has started several tasks that will not know of each
/// other; else empty. To be asked before MPI has started, which sets some of the variables.
std::string lonely_tasks();

}  // namespace sae
