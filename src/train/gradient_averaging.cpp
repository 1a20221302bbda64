#include "sae/train/gradient_averaging.hpp"

#include <array>

namespace sae {

void sum_over_ranks(Range slice, Vector<float>& gradient, StepSums& sums, Communicator& comm) {
  comm.allreduce_sum({gradient.data() + slice.begin, static_cast<std::size_t>(slice.size())});
  ObjectiveSums& objective = sums.objective;
  std::array<double, 4> values = {objective.loss, objective.errors, objective.samples,
                                  sums.stop_votes};
  comm.allreduce_sum(values);
  objective = {.loss = values[0], .errors = values[1], .samples = values[2]};
  sums.stop_votes = values[3];
}

}  // namespace sae
