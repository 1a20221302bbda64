#pragma once

#include "sae/comm/communicator.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// The first samples of a sharded set, for pictures: at most `count`, fewer if they are large.
/// Indices are those in the set.
/// Collective: all ranks get the same.
Minibatch<float> first_samples(const Shard& shard, Index count, Communicator& comm);

}  // namespace sae
