#include "sae/data/replica.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "sae/core/partition.hpp"

namespace sae {
namespace {

/// Every rank's part goes to the nodes that do not have it, from its own node. Collective.
void exchange_between_nodes(Shard& all, Communicator& comm, Communicator& node,
                            Heartbeat* heartbeat) {
  constexpr std::size_t kLargestMessage = std::size_t{4} << 20;  // Between signs of progress.
  const auto leaders = comm.split(node.is_root() ? 0 : 1);
  int node_number = leaders->rank();
  node.broadcast(std::as_writable_bytes(std::span(&node_number, 1)), 0);
  const std::vector<int> node_of = comm.allgather_values(std::span<const int>(&node_number, 1));
  const bool several = std::ranges::max(node_of) > 0;
  for (int rank = 0; several && rank < comm.size(); ++rank) {
    std::span part = all.records(part_of_range({0, all.set_size()}, rank, comm.size()));
    while (!part.empty()) {
      const std::span message = part.first(std::min(part.size(), kLargestMessage));
      if (node.is_root()) leaders->broadcast(message, node_of[static_cast<std::size_t>(rank)]);
      part = part.subspan(message.size());
      node.barrier();  // Else its other ranks would show no progress.
      beat(heartbeat);
    }
  }
  leaders->close();
}

}  // namespace

Replica::Replica(const Shard& shard, Communicator& comm, Heartbeat* heartbeat)
    : Replica(shard, comm, comm.split_by_node(), heartbeat) {}

Replica::Replica(const Shard& shard, Communicator& comm, std::unique_ptr<Communicator> node,
                 Heartbeat* heartbeat)
    : memory_(node->share_memory(node->is_root() ? shard.set_bytes() : 0)),
      samples_(shard.format(), {memory_->segment(0), shard.set_bytes()}) {
  std::ranges::copy(shard.records(shard.samples()), samples_.records(shard.samples()).begin());
  node->barrier();
  exchange_between_nodes(samples_, comm, *node, heartbeat);
  node->close();
  comm.barrier();
}

}  // namespace sae
