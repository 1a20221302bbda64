#include "sae/comm/node_memory.hpp"

#include <sys/statvfs.h>

#include <cstring>

#include "check.hpp"
#include "handle.hpp"

namespace sae {

struct NodeMemory::Handle {
  MPI_Win window = MPI_WIN_NULL;
};

NodeMemory::NodeMemory(MpiCommunicator& comm, std::size_t bytes)
    : handle_(std::make_unique<Handle>()) {
  const auto ranks_of_node = comm.split_by_node();
  const MPI_Comm node = ranks_of_node->handle().communicator;
  node_rank_ = ranks_of_node->rank();
  node_size_ = ranks_of_node->size();
  constexpr std::size_t kCacheLine = 64;
  const std::size_t rounded = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  void* own = nullptr;
  check_mpi(MPI_Win_allocate_shared(static_cast<MPI_Aint>(rounded), 1, MPI_INFO_NULL, node, &own,
                                    &handle_->window),
            "MPI_Win_allocate_shared");
  std::memset(own, 0, rounded);
  check_mpi(MPI_Barrier(node), "MPI_Barrier");
}

std::size_t NodeMemory::available() {
  struct statvfs status {};
  if (::statvfs("/dev/shm", &status) != 0) return 0;
  return static_cast<std::size_t>(status.f_bavail) * status.f_frsize;
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
