#pragma once

#include <set>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"

namespace sae {

/// Where the ranks run. Cores of different hosts are different ones.
struct Placement {
  std::vector<std::string> hosts;    ///< Of each rank.
  std::vector<std::set<int>> cores;  ///< Of each rank: those it is bound to; empty if not known.
  /// Of each rank: processor time per time for all ranks of its host; 0 if not limited. Perhaps
  /// none.
  std::vector<double> granted = {};
};

/// Collective.
Placement gather_placement(Communicator& comm);

/// Such as "0-3,8".
std::string to_ranges(const std::set<int>& numbers);

/// Cores that each rank has to itself where ranks on the same cores divide them, and within what
/// its host grants; at least 1.
std::vector<Index> shares(const Placement& placement);

/// A sentence about each set of cores that is bound by more threads than it has cores, and about
/// each host that has more threads than it grants.
std::vector<std::string> crowded_cores(const Placement& placement, Index threads);

/// A line for each host, such as "node1: ranks 0-1, cores 0-3"; of many hosts the first.
std::vector<std::string> describe(const Placement& placement);

}  // namespace sae
