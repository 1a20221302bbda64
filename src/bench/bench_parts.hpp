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
#include "sae/model/gradient_parts.hpp"
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

/// How often to repeat what `once` does, the same on all ranks: for so many seconds, and often
/// enough for a median. Calls it twice to see. Collective.
template <typename Once>
int repetitions_for(double seconds, Communicator& comm, Once&& once) {
  constexpr int kFewest = 3;
  constexpr double kMost = 100000;
  once();  // The first call makes what later ones reuse.
  const auto begin = BenchClock::now();
  once();
  const double each = mean_over_ranks(bench_seconds_since(begin), comm);
  return std::max(kFewest, static_cast<int>(std::min(kMost, seconds / std::max(each, 1e-9))));
}

/// The median time of `once`, mean over ranks; all ranks begin together. Collective.
template <typename Once>
double measure(double seconds, Communicator& comm, Once&& once) {
  const int repetitions = repetitions_for(seconds, comm, once);
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(repetitions));
  comm.barrier();
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = BenchClock::now();
    once();
    times.push_back(bench_seconds_since(begin));
  }
  return mean_over_ranks(median(std::move(times)), comm);
}

/// A product of a stage, to be done alone.
struct StageProduct {
  ProductRate shape;  ///< Without a time.
  std::function<void()> run;
};

/// The products of one step of a stage in their order, as its objective calls them for a minibatch,
/// on buffers of their own sizes.
std::vector<StageProduct> stage_products(const ParameterLayout& layout, const Stage& stage,
                                         const ParametersRef<float>& parameters,
                                         const Minibatch<float>& minibatch, bool rounded_gradient);

/// What an update of a rank reads and writes.
struct UpdatePass {
  Index elements = 0;   ///< Parameters that this rank updates.
  Index gradients = 1;  ///< That it adds up.
  Index gradient_elements =
      0;  ///< Of parts of gradients that stay in the caches; 0: they are whole.
  bool rounded_gradients = false;
  bool velocity = false;
  bool rounded_parameters = false;

  double bytes() const;
  friend bool operator==(const UpdatePass&, const UpdatePass&) = default;
};

/// Collective.
MemoryRate measure_copy(double seconds, Communicator& comm);
MemoryRate measure_update_pass(const UpdatePass& pass, double seconds, Communicator& comm);
/// A step of a gradient of the `slice` of the flat vector in parts of so many elements, of which
/// nothing has to be computed.
ReductionRate measure_averaging(GradientAveraging& averaging, Range slice, Index part,
                                const BenchSettings& settings, Communicator& comm);
std::vector<ReductionRate> measure_reductions(const BenchSettings& settings, Communicator& comm);

}  // namespace sae
