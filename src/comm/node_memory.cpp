#include "sae/comm/node_memory.hpp"

#include <sys/statvfs.h>

#include <cstring>
#include <memory>

#include "check.hpp"
#include "handle.hpp"

namespace sae {
namespace {

constexpr std::size_t kCacheLine = 64;

/// MPI_Win_free is collective, so it is in close(); MPI_Finalize frees what is left.
class WindowMemory final : public NodeMemory {
 public:
  WindowMemory(MPI_Comm node, int rank, int size, std::size_t bytes) : rank_(rank), size_(size) {
    // MPI may begin a segment within a cache line, at the same offset for all ranks.
    const std::size_t allocated = bytes + kCacheLine;
    void* own = nullptr;
    check_mpi(MPI_Win_allocate_shared(static_cast<MPI_Aint>(allocated), 1, MPI_INFO_NULL, node,
                                      &own, &window_),
              "MPI_Win_allocate_shared");
    std::memset(own, 0, allocated);
    check_mpi(MPI_Barrier(node), "MPI_Barrier");
  }

  int node_rank() const override { return rank_; }
  int node_size() const override { return size_; }

  std::byte* segment(int node_rank) const override {
    MPI_Aint size = 0;
    int unit = 0;
    void* begin = nullptr;
    check_mpi(MPI_Win_shared_query(window_, node_rank, &size, &unit, &begin),
              "MPI_Win_shared_query");
    auto space = static_cast<std::size_t>(size);
    return static_cast<std::byte*>(std::align(kCacheLine, 1, begin, space));
  }

  void close() override {
    if (window_ != MPI_WIN_NULL) check_mpi(MPI_Win_free(&window_), "MPI_Win_free");
  }

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  int rank_;
  int size_;
};

}  // namespace

std::unique_ptr<NodeMemory> MpiCommunicator::share_memory(std::size_t bytes) {
  const auto node = ranks_of_node();
  auto memory = std::make_unique<WindowMemory>(node->handle_->communicator, node->rank(),
                                               node->size(), bytes);
  node->close();  // The window keeps a copy of it.
  return memory;
}

std::size_t NodeMemory::available() {
  struct statvfs status {};
  if (::statvfs("/dev/shm", &status) != 0) return 0;
  return static_cast<std::size_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace sae
