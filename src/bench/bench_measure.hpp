#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "sae/averaging/gradient_averaging.hpp"
#include "sae/bench/bench.hpp"
#include "sae/model/gradient_buckets.hpp"
#include "sae/train/stage.hpp"

namespace sae {

using BenchClock = std::chrono::steady_clock;

inline double bench_seconds_since(BenchClock::time_point begin) {
  return std::chrono::duration<double>(BenchClock::now() - begin).count();
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Collective.
inline double mean_over_ranks(double value, Communicator& comm) {
  std::array<double, 1> sum = {value};
  comm.allreduce_sum(sum);
  return sum[0] / comm.size();
}

/// How often to call `once` to fill so many seconds, at least 3 for a median. Calls it twice to
/// measure.
/// Collective: the same on all ranks.
template <typename Once>
int repetitions_for(double seconds, Communicator& comm, Once&& once) {
  constexpr int kFewest = 3;
  constexpr double kMost = 100000;
  once();  // Warm-up.
  const auto begin = BenchClock::now();
  once();
  const double each = mean_over_ranks(bench_seconds_since(begin), comm);
  return std::max(kFewest, static_cast<int>(std::min(kMost, seconds / std::max(each, 1e-9))));
}

/// The median time of `once`, mean over ranks, in seconds; calls between() after each time. All
/// ranks begin together. Collective.
template <typename Once, typename Between>
double measure(double seconds, Communicator& comm, Once&& once, Between&& between) {
  const int repetitions = repetitions_for(seconds, comm, once);
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(repetitions));
  comm.barrier();
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = BenchClock::now();
    once();
    times.push_back(bench_seconds_since(begin));
    between();
  }
  return mean_over_ranks(median(std::move(times)), comm);
}

template <typename Once>
double measure(double seconds, Communicator& comm, Once&& once) {
  return measure(seconds, comm, once, [] {});
}

/// A product of a stage that can run alone.
struct StageProduct {
  ProductRate shape;  ///< Without seconds.
  std::function<void()> run;
};

/// The products of one step of a stage, in order, as its objective computes them for a minibatch;
/// on buffers of the same sizes.
std::vector<StageProduct> stage_products(const ParameterLayout& layout, const Stage& stage,
                                         const ParametersRef<float>& parameters,
                                         const Minibatch<float>& minibatch, bool rounded_gradient);

/// Memory traffic of one rank's update.
struct UpdatePass {
  Index elements = 0;   ///< Parameters that this rank updates.
  Index gradients = 1;  ///< Gradients that it sums.
  Index gradient_elements =
      0;  ///< Size of buckets that stay in the caches; 0: gradients are whole.
  bool rounded_gradients = false;
  Index slots = 0;  ///< Vectors that the optimizer keeps, with an average of the parameters.
  bool rounded_parameters = false;

  double bytes() const;
  friend bool operator==(const UpdatePass&, const UpdatePass&) = default;
};

/// What a rank's instructions for such operands can compute: products cannot be faster. Measured in
/// turn with them, because the clock of a shared machine changes.
class PeakMeter {
 public:
  explicit PeakMeter(Precision operands) : rounded_(operands == Precision::kBfloat16) {}
  /// Computes for a while with all threads, unless it did so less than a millisecond ago. Local.
  void run_at_times();
  /// Operations a second of the runs since the last call: the median, mean over ranks; 0 where that
  /// is not known, or nothing ran.
  /// Collective.
  double take(Communicator& comm);

 private:
  bool rounded_;
  BenchClock::time_point last_;
  std::vector<double> rates_;
};

/// Collective.
MemoryRate measure_copy(double seconds, Communicator& comm);
MemoryRate measure_update_pass(const UpdatePass& pass, double seconds, Communicator& comm);
/// One step of reduction and update without an objective: a gradient of the trainable range, in
/// buckets of `bucket_size` elements. Collective.
ReductionRate measure_averaging(GradientAveraging& averaging, Range trainable, Index bucket_size,
                                const BenchSettings& settings, Communicator& comm);
std::vector<ReductionRate> measure_reductions(const BenchSettings& settings, Communicator& comm);

}  // namespace sae
