#pragma once

#include <cstddef>

namespace sae {

/// Memory that all ranks of a node share; made by Communicator::share_memory(). Initially zero.
/// Lives until close() or, without that, until MPI is finalized.
class NodeMemory {
 public:
  virtual ~NodeMemory() = default;

  virtual int node_rank() const = 0;
  virtual int node_size() const = 0;

  /// The segment of a rank, counted within the node. Aligned to a cache line.
  virtual std::byte* segment(int node_rank) const = 0;

  /// Frees the memory; no rank may use it afterwards. Collective.
  virtual void close() = 0;

  /// Free shared memory of this node, in bytes.
  static std::size_t available();
};

}  // namespace sae
