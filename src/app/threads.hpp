#pragma once

#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/config/configuration.hpp"

namespace sae {

/// Sets configuration.threads if it is `auto`. Returns a sentence for each oversubscribed set of
/// cores or host. Collective.
std::vector<std::string> decide_threads(Configuration& configuration, Communicator& comm);

}  // namespace sae
