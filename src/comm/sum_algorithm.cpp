// Open MPI's default for in-place sums reduces to one rank and broadcasts, which uses one direction
// of a link at a time. Recursive halving sends 2 (n - 1) / n of the sum in each direction if the
// number of ranks n is a power of 2; otherwise it first merges pairs of ranks, whose links carry
// twice as much. A ring sends as little for any n, but takes 2 (n - 1) rounds, so it pays only for
// blocks that are worth a round's latency.
#include "sum_algorithm.hpp"

#include <mpi.h>

#include <bit>
#include <cstdlib>
#include <string>

#include "check.hpp"

namespace sae {
namespace {

constexpr int kRing = 1;
constexpr int kHalving = 3;
constexpr std::size_t kRingBlockBytes = std::size_t{64} << 10;
bool decided_by_user = false;

/// Handle of the control variable; null if the library does not have it.
MPI_T_cvar_handle control() {
  static const MPI_T_cvar_handle handle = [] {
    int provided = 0;
    int index = 0;
    int count = 0;
    MPI_T_cvar_handle found = MPI_T_CVAR_HANDLE_NULL;
    check_mpi(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided), "MPI_T_init_thread");
    const std::string name = std::string(kSumAlgorithmVariable).substr(sizeof "OMPI_MCA_" - 1);
    if (MPI_T_cvar_get_index(name.c_str(), &index) != MPI_SUCCESS) return found;
    check_mpi(MPI_T_cvar_handle_alloc(index, nullptr, &found, &count), "MPI_T_cvar_handle_alloc");
    return found;
  }();
  return handle;
}

}  // namespace

void prepare_sum_algorithm() {
  decided_by_user = std::getenv(kSumAlgorithmVariable) != nullptr;
  setenv(kSumAlgorithmVariable, std::to_string(kHalving).c_str(), 0);
}

void choose_sum_algorithm(int ranks, std::size_t bytes) {
  static int chosen = kHalving;
  const bool power_of_two = std::has_single_bit(static_cast<unsigned>(ranks));
  const bool ring = !power_of_two && bytes / static_cast<std::size_t>(ranks) >= kRingBlockBytes;
  const int wanted = ring ? kRing : kHalving;
  if (decided_by_user || wanted == chosen || control() == MPI_T_CVAR_HANDLE_NULL) return;
  check_mpi(MPI_T_cvar_write(control(), &wanted), "MPI_T_cvar_write");
  chosen = wanted;
}

}  // namespace sae
