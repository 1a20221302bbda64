#pragma once

#include "sae/comm/communicator.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// What the ranks tell each other in a step, besides the gradient.
struct StepSums {
  ObjectiveSums objective;
  double stop_votes = 0;  ///< Ranks that were asked to stop.
};

/// Adds up, over ranks, the slice of the gradient and the sums of a step: the one place
/// where model and ranks meet. The caller divides once, by the samples of the
/// whole minibatch: ranks can hold unequal parts of it.
/// Collective: afterwards every rank holds the same bits.
void sum_over_ranks(Range slice, Vector<float>& gradient, StepSums& sums, Communicator& comm);

}  // namespace sae
