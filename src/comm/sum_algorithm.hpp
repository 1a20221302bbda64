#pragma once

#include <cstddef>
#include <optional>

namespace sae {

/// Environment variable that selects Open MPI's algorithm for MPI_Iallreduce.
inline constexpr const char* kSumAlgorithmVariable = "OMPI_MCA_coll_libnbc_iallreduce_algorithm";

/// Selects, until it is destroyed, the algorithm that sends least over the links, or a few bytes in
/// the fewest rounds, for an MPI_Iallreduce of `bytes` over `ranks`; none if the user has chosen.
/// Local; all ranks choose alike. Throws: CommunicationError.
class SumAlgorithm {
 public:
  SumAlgorithm(int ranks, std::size_t bytes);
  ~SumAlgorithm();
  SumAlgorithm(const SumAlgorithm&) = delete;
  SumAlgorithm& operator=(const SumAlgorithm&) = delete;

 private:
  std::optional<int> before_;
};

}  // namespace sae
