// Open MPI's default for in-place sums reduces to one rank and broadcasts, which uses one direction
// of a link at a time. Recursive halving sends 2 (n - 1) / n of the sum in each direction if the
// number of ranks n is a power of 2; otherwise it first merges pairs of ranks, whose links carry
// twice as much. A ring sends as little for any n, but takes 2 (n - 1) rounds, so it pays only for
// blocks that are worth a round's latency. Recursive doubling exchanges the whole sum in log2 n
// rounds: good for a few numbers. The choice is for one call: Open MPI's own sums, such as those by
// which MPI_Comm_split agrees on a number, follow it too, and ranks outside of this communicator
// have not made it.
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
constexpr int kDoubling = 4;
constexpr std::size_t kFewBytes = std::size_t{4} << 10;
constexpr std::size_t kRingBlockBytes = std::size_t{64} << 10;

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

SumAlgorithm::SumAlgorithm(int ranks, std::size_t bytes) {
  static const bool decided_by_user = std::getenv(kSumAlgorithmVariable) != nullptr;
  if (decided_by_user || control() == MPI_T_CVAR_HANDLE_NULL) return;
  int before = 0;
  check_mpi(MPI_T_cvar_read(control(), &before), "MPI_T_cvar_read");
  before_ = before;
  const bool power_of_two = std::has_single_bit(static_cast<unsigned>(ranks));
  int wanted = kHalving;
  if (bytes <= kFewBytes) {
    wanted = kDoubling;
  } else if (!power_of_two && bytes / static_cast<std::size_t>(ranks) >= kRingBlockBytes) {
    wanted = kRing;
  }
  check_mpi(MPI_T_cvar_write(control(), &wanted), "MPI_T_cvar_write");
}

SumAlgorithm::~SumAlgorithm() {
  if (before_) static_cast<void>(MPI_T_cvar_write(control(), &*before_));
}

}  // namespace sae
