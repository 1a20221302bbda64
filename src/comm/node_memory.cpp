#include "sae/comm/node_memory.hpp"

#include <sys/statvfs.h>

#include <cstring>
#include <memory>

#include "check.hpp"
#include "handle.hpp"

namespace sae {
namespace {

constexpr std::size_t kCacheLine = 64;

}  // namespace

struct NodeMemory::Handle {
  MPI_Win window = MPI_WIN_NULL;
};

NodeMemory::NodeMemory(MpiCommunicator& comm, std::size_t bytes)
    : handle_(std::make_unique<Handle>()) {
  auto ranks_of_node = comm.split_by_node();
  const MPI_Comm node = ranks_of_node->handle().communicator;
  node_rank_ = ranks_of_node->rank();
  node_size_ = ranks_of_node->size();
  // MPI's parts may begin within a line, at the same place for all ranks.
  const std::size_t allocated = bytes + kCacheLine;
  void* own = nullptr;
  check_mpi(MPI_Win_allocate_shared(static_cast<MPI_Aint>(allocated), 1, MPI_INFO_NULL, node, &own,
                                    &handle_->window),
            "MPI_Win_allocate_shared");
  std::memset(own, 0, allocated);
  check_mpi(MPI_Barrier(node), "MPI_Barrier");
  ranks_of_node->close();  // The window keeps a copy of it.
}

std::size_t NodeMemory::available() {
  struct statvfs status {};
  if (::statvfs("/dev/shm", &status) != 0) return 0;
  return static_cast<std::size_t>(status.f_bavail) * status.f_frsize;
}

void NodeMemory::close() {
  if (handle_->window != MPI_WIN_NULL) check_mpi(MPI_Win_free(&handle_->window), "MPI_Win_free");
}

// MPI_Win_free is collective and so has no place in a destructor; MPI_Finalize releases it.
NodeMemory::~NodeMemory() = default;

std::byte* NodeMemory::part(int node_rank) const {
  MPI_Aint size = 0;
  int unit = 0;
  void* begin = nullptr;
  check_mpi(MPI_Win_shared_query(handle_->window, node_rank, &size, &unit, &begin),
            "MPI_Win_shared_query");
  auto space = static_cast<std::size_t>(size);
  return static_cast<std::byte*>(std::align(kCacheLine, 1, begin, space));
}

}  // namespace sae
