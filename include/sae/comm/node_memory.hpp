#pragma once

#include <cstddef>

namespace sae {

/// Memory that all ranks of a node share; made by Communicator::share_memory(). It is zero at
/// first, and lives until close() or, without that, until MPI ends.
class NodeMemory {
 public:
  virtual ~NodeMemory() = default;

  virtual int node_rank() const = 0;
  virtual int node_size() const = 0;

  /// The part of a rank of this node, counted within the node. Aligned to a cache line.
  virtual std::byte* part(int node_rank) const = 0;

  /// Gives the memory back; nobody may use it any more. Collective over all ranks.
  virtual void close() = 0;

  /// Bytes of shared memory that are free on this node.
  static std::size_t available();
};

}  // namespace sae
