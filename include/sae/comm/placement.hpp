#pragma once

#include <set>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"

namespace sae {

/// Hosts and cores of all ranks, each list by rank.
struct Placement {
  std::vector<std::string> hosts;
  std::vector<std::set<int>> cores;  ///< Cores that a rank is bound to; empty if unknown.
  /// CPU quota of all ranks of the rank's host together, in cores; 0: no limit. May be empty.
  std::vector<double> granted = {};
};

/// Collective.
Placement gather_placement(Communicator& comm);

/// Such as "0-3,8".
std::string to_ranges(const std::set<int>& numbers);

/// Cores for each rank if ranks on the same cores divide them evenly, within the host's CPU quota;
/// at least 1.
std::vector<Index> cores_per_rank(const Placement& placement);

/// A sentence for each set of cores with more threads than cores, and for each host with more
/// threads than its CPU quota.
std::vector<std::string> oversubscribed_cores(const Placement& placement, Index threads);

/// A line for each host, such as "node1: ranks 0-1, cores 0-3"; at most the first 16 hosts.
std::vector<std::string> describe(const Placement& placement);

}  // namespace sae
