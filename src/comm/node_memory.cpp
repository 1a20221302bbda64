#include "sae/comm/node_memory.hpp"

#include <cstring>

#include "check.hpp"
#include "handle.hpp"

namespace sae {

struct NodeMemory::Handle {
  MPI_Win window = MPI_WIN_NULL;
};

NodeMemory::NodeMemory(MpiCommunicator& comm, std::size_t bytes)
    : handle_(std::make_unique<Handle>()) {
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(comm.handle().communicator, MPI_COMM_TYPE_SHARED, comm.rank(),
                                MPI_INFO_NULL, &node),
            "MPI_Comm_split_type");
  check_mpi(MPI_Comm_set_errhandler(node, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(node, &node_rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(node, &node_size_), "MPI_Comm_size");
  constexpr std::size_t kCacheLine = 64;
  const std::size_t rounded = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  void* own = nullptr;
  check_mpi(MPI_Win_allocate_shared(static_cast<MPI_Aint>(rounded), 1, MPI_INFO_NULL, node, &own,
                                    &handle_->window),
            "MPI_Win_allocate_shared");
  std::memset(own, 0, rounded);
  check_mpi(MPI_Barrier(node), "MPI_Barrier");
}

// MPI_Win_free is collective and so has no place in a destructor; MPI_Finalize releases it.
NodeMemory::~NodeMemory() = default;

std::byte* NodeMemory::part(int node_rank) const {
  MPI_Aint size = 0;
  int unit = 0;
  void* begin = nullptr;
  check_mpi(MPI_Win_shared_query(handle_->window, node_rank, &size, &unit, &begin),
            "MPI_Win_shared_query");
  return static_cast<std::byte*>(begin);
}

}  // namespace sae
