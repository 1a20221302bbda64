#pragma once

#include <memory>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/comm/node_memory.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// All samples of a set, once in the memory of each node: its ranks read any of them without
/// messages.
class Replica {
 public:
  /// Copies the shards of all ranks; between nodes each travels once. Beats `heartbeat`, which may
  /// be null.
  /// Collective. Throws: CommunicationError, also if shared memory is exhausted.
  Replica(const Shard& shard, Communicator& comm, Heartbeat* heartbeat);

  const Shard& samples() const { return samples_; }

  /// Frees the memory; the samples are gone. Collective.
  void close() { memory_->close(); }

 private:
  Replica(const Shard& shard, Communicator& comm, std::unique_ptr<Communicator> node,
          Heartbeat* heartbeat);

  std::unique_ptr<NodeMemory> memory_;
  Shard samples_;
};

}  // namespace sae
