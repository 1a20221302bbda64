#pragma once

#include <string>

#include "sae/comm/communicator.hpp"
#include "sae/config/configuration.hpp"

namespace sae {

/// Where the samples are that a run streams.
struct PlacementOfData {
  bool replicated = false;  ///< Once on each node.
  std::string description;  ///< With the reason, for the start table.
};

/// Decides `auto`: replicated if `bytes`, of all training samples and the codes kept of them, are
/// at most a quarter of what each node has in memory and in /dev/shm. One rank alone has everything
/// anyway.
/// Collective: the same result on all ranks. Throws: CommunicationError if they are to be
/// replicated and a node lacks the shared memory.
PlacementOfData decide_data_placement(DataPlacement asked, double bytes, Communicator& comm);

}  // namespace sae
