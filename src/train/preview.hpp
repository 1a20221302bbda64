#pragma once

#include "sae/comm/communicator.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// The first samples of the set whose shards the ranks hold, at most `count`, and fewer where they
/// are large: pictures of them are shown. Their indices count within the set.
/// Collective: all ranks get the same.
Minibatch<float> first_samples(const Shard& shard, Index count, Communicator& comm);

}  // namespace sae
