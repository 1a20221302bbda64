#pragma once

#include <cstddef>

namespace sae {

/// Environment variable of Open MPI's that says how MPI_Iallreduce sums.
inline constexpr const char* kSumAlgorithmVariable = "OMPI_MCA_coll_libnbc_iallreduce_algorithm";

/// Takes halves, whatever the number of ranks, unless the user has decided. To be called before
/// MPI is initialised.
void prepare_sum_algorithm();

/// Makes Open MPI's next MPI_Iallreduce, of so many bytes over so many ranks, take the algorithm
/// that sends least over the links, unless the user has decided. Local; the same on all ranks.
/// Throws: CommunicationError.
void choose_sum_algorithm(int ranks, std::size_t bytes);

}  // namespace sae
