#include <utility>

#include "bench_measure.hpp"
#include "sae/kernels/instructions.hpp"

namespace sae {

void PeakMeter::run_at_times() {
  const auto begin = BenchClock::now();
  if (begin < last_ + std::chrono::milliseconds(1)) return;
  // For a tenth of the time that the rest has taken.
  const auto end = begin + (rates_.empty() ? BenchClock::duration{} : (begin - last_) / 10);
  double operations = 0;
  do {
#pragma omp parallel reduction(+ : operations)
    operations += compute_in_registers(rounded_);
  } while (BenchClock::now() < end);
  rates_.push_back(operations / bench_seconds_since(begin));
  last_ = BenchClock::now();
}

double PeakMeter::take(Communicator& comm) {
  const std::vector<double> rates = std::exchange(rates_, {});
  return mean_over_ranks(rates.empty() ? 0 : median(rates), comm);
}

}  // namespace sae
