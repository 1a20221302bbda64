#include "sae/train/gradient_averaging.hpp"

#include <array>

namespace sae {

void sum_over_ranks(Range slice, Vector<float>& gradient, ObjectiveSums& sums, Communicator& comm) {
  comm.allreduce_sum({gradient.data() + slice.begin, static_cast<std::size_t>(slice.size())});
  std::array<double, 3> values = {sums.loss, sums.errors, sums.samples};
  comm.allreduce_sum(values);
  sums = {.loss = values[0], .errors = values[1], .samples = values[2]};
}

}  // namespace sae
