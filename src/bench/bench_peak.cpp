#include <utility>

#include "bench_measure.hpp"
#include "sae/kernels/instructions.hpp"

namespace sae {

void PeakMeter::run_at_times() {
  const auto begin = BenchClock::now();
  if (begin < next_) return;
  double operations = 0;
#pragma omp parallel reduction(+ : operations)
  operations += compute_in_registers(rounded_);
  rates_.push_back(operations / bench_seconds_since(begin));
  next_ = BenchClock::now() + std::chrono::milliseconds(1);
}

double PeakMeter::take(Communicator& comm) {
  const std::vector<double> rates = std::exchange(rates_, {});
  return mean_over_ranks(rates.empty() ? 0 : median(rates), comm);
}

}  // namespace sae
