#pragma once

#include <cstdint>

#include "sae/comm/communicator.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// Draws labelled samples besides those of each minibatch: one after the other from permutations of
/// all of them, each a function of the seed and its number in the stage alone. Every rank holds
/// them all.
class LabelledBatches {
 public:
  /// `size` samples for each update. Collective.
  LabelledBatches(const Shard& labelled, Index size, std::uint64_t seed, Communicator& comm);

  /// Puts this rank's part of the samples of an update, counted from 0 in the stage, before those
  /// of the minibatch. Local.
  void prepend(Index update, Minibatch<float>& minibatch) const;

 private:
  Shard all_;
  Index size_;
  std::uint64_t seed_;
  Index rank_;
  Index ranks_;
};

}  // namespace sae
