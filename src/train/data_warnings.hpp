#pragma once

#include <string>
#include <vector>

#include "sae/train/run_data.hpp"

namespace sae {

/// What is odd about the data of a run, a sentence each: features that are constant or have values
/// far outside, classes with few samples or none in the validation set, bytes that are dark and
/// will not be scaled. Requires: the data are not scaled yet. Collective: the same on all ranks.
std::vector<std::string> data_warnings(const RunData& data, bool classifies, bool scaled,
                                       Communicator& comm);

}  // namespace sae
