#include "bench_measure.hpp"
#include "sae/kernels/instructions.hpp"

namespace sae {

double measure_peak(Precision operands, double seconds, Communicator& comm) {
  const bool rounded = operands == Precision::kBfloat16;
  double operations = 0;
  const double each = measure(seconds, comm, [&] {
    double sum = 0;
#pragma omp parallel reduction(+ : sum)
    sum += compute_in_registers(rounded);
    operations = sum;
  });
  return comm.any(operations == 0) ? 0 : operations / each;
}

}  // namespace sae
