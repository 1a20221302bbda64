#pragma once

#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/config/configuration.hpp"

namespace sae {

/// Decides on the threads of each rank where they were left open. Returns a sentence for each place
/// where ranks and threads are more than their cores. Collective.
std::vector<std::string> decide_threads(Configuration& configuration, Communicator& comm);

}  // namespace sae
