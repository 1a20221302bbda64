#include "threads.hpp"

#include <algorithm>

#include "sae/comm/placement.hpp"

namespace sae {

std::vector<std::string> decide_threads(Configuration& configuration, Communicator& comm) {
  const Placement placement = gather_placement(comm);
  if (configuration.threads == 0) {
    // The same everywhere: the smallest share of a rank.
    const auto all = shares(placement);
    configuration.threads = *std::min_element(all.begin(), all.end());
  }
  return crowded_cores(placement, configuration.threads);
}

}  // namespace sae
