#include "sae/train/data_placement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sae/comm/node_memory.hpp"
#include "sae/core/host.hpp"

namespace sae {
namespace {

constexpr double kLargestShare = 0.25;

/// Shared memory that ranks of this node can have; memory counts where its size is known.
double shared_memory_here() {
  const auto shared = static_cast<double>(NodeMemory::available());
  const double memory = available_memory();
  return memory > 0 ? std::min(shared, memory) : shared;
}

}  // namespace

PlacementOfData decide_data_placement(DataPlacement asked, double bytes, Communicator& comm) {
  if (comm.size() == 1) return {.replicated = false, .description = "all on the one rank"};
  const double available = shared_memory_here();
  const std::string size = fmt::format("{:.0f} MB", bytes / 1e6);
  if (asked == DataPlacement::kReplicated && comm.any(bytes > available)) {
    throw CommunicationError(fmt::format(
        "--data-placement replicated needs {} of shared memory on each node, which one of them "
        "lacks; see the size of /dev/shm, or use --data-placement sharded.",
        size));
  }
  if (asked == DataPlacement::kSharded) {
    return {.replicated = false, .description = "a part on each rank, as asked for"};
  }
  if (asked == DataPlacement::kAuto && comm.any(bytes > kLargestShare * available)) {
    return {.replicated = false,
            .description = fmt::format(
                "a part on each rank: {} are more than a quarter of a node's memory", size)};
  }
  return {.replicated = true, .description = fmt::format("{} on each node, shared", size)};
}

}  // namespace sae
