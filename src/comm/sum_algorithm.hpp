#pragma once

#include <cstddef>

namespace sae {

/// Environment variable that selects Open MPI's algorithm for MPI_Iallreduce.
inline constexpr const char* kSumAlgorithmVariable = "OMPI_MCA_coll_libnbc_iallreduce_algorithm";

/// Selects recursive halving for any number of ranks, unless the user has chosen.
/// Requires: called before MPI_Init.
void prepare_sum_algorithm();

/// Selects the algorithm that sends least over the links for the next MPI_Iallreduce of `bytes`
/// over `ranks`, unless the user has chosen.
/// Local; all ranks choose alike. Throws: CommunicationError.
void choose_sum_algorithm(int ranks, std::size_t bytes);

}  // namespace sae
