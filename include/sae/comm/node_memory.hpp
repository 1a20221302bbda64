#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace sae {

class MpiCommunicator;

/// Memory that all ranks of a node share. It is zero at first, and lives until close() or, without
/// that, until MPI ends.
class NodeMemory {
 public:
  /// `bytes` for this rank, of which others may ask for more or less. Collective over all ranks.
  /// Throws: CommunicationError, also where there is no shared memory left.
  NodeMemory(MpiCommunicator& comm, std::size_t bytes);
  ~NodeMemory();
  NodeMemory(const NodeMemory&) = delete;
  NodeMemory& operator=(const NodeMemory&) = delete;

  /// Gives the memory back; nobody may use it any more. Collective over all ranks.
  void close();

  /// Bytes of shared memory that are free on this node.
  static std::size_t available();

  int node_rank() const { return node_rank_; }
  int node_size() const { return node_size_; }

  /// The part of a rank of this node, counted within the node. Aligned to a cache line.
  std::byte* part(int node_rank) const;

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  int node_rank_ = 0;
  int node_size_ = 1;
};

}  // namespace sae
