#pragma once

#include <string>

namespace sae {

/// The rank from the launcher's environment variables, for use before MPI_Init; 0 if there are
/// none.
int launched_rank();

/// Fault and remedy if Slurm started several tasks that MPI would treat as singletons; else empty.
/// Requires: called before MPI_Init, which sets some of the variables.
std::string singleton_fault();

}  // namespace sae
