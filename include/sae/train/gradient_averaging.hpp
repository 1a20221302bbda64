#pragma once

#include "sae/comm/communicator.hpp"
#include "sae/model/objective.hpp"

namespace sae {

/// Adds up, over ranks, the slice of the gradient and the sums of a step: the one place
/// where model and ranks meet. The caller divides once, by the samples of the
/// whole minibatch: ranks can hold unequal parts of it.
/// Collective: afterwards every rank holds the same bits.
void sum_over_ranks(Range slice, Vector<float>& gradient, ObjectiveSums& sums, Communicator& comm);

}  // namespace sae
