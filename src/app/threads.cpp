#include "threads.hpp"

#include <algorithm>

#include "sae/comm/placement.hpp"

namespace sae {

std::vector<std::string> decide_threads(Configuration& configuration, Communicator& comm) {
  const Placement placement = gather_placement(comm);
  if (configuration.threads == 0) {
    // The same number for all ranks: that of the rank with the fewest cores.
    const auto all = cores_per_rank(placement);
    configuration.threads = *std::min_element(all.begin(), all.end());
  }
  return oversubscribed_cores(placement, configuration.threads);
}

}  // namespace sae
