#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/config/configuration.hpp"

namespace sae {

struct BenchSettings {
  Configuration configuration;  ///< Decided: nothing is automatic but the averaging.
  Index inputs = 784;
  Index classes = 10;
  double seconds = 0.3;            ///< Of each measurement.
  bool steps_only = false;         ///< Measure training steps and nothing to compare them with.
  Heartbeat* heartbeat = nullptr;  ///< Of which each measurement is progress; may be null.
};

// Times are of one call: the median of a rank's repetitions, and of these the mean over ranks.
// All ranks measure the same at the same time.

/// A matrix product alone, its operands where the call before left them: in a cache, if they fit.
struct ProductRate {
  std::string kind;         ///< "forward", "transposed" or "gradient".
  Index outputs = 0;        ///< Of the weights.
  Index inputs = 0;         ///< Likewise.
  Index samples = 0;        ///< Of the largest rank's part; twice that for tied weights' gradient.
  bool wide_result = true;  ///< float32; else bfloat16.
  double seconds = 0;

  double flop() const {
    return 2.0 * static_cast<double>(outputs) * static_cast<double>(inputs) *
           static_cast<double>(samples);
  }
  double flop_per_second() const { return flop() / seconds; }
};

/// One pass over memory, of each rank.
struct MemoryRate {
  std::string pass;    ///< "copy", or "update" with the name of the stage.
  double bytes = 0;    ///< Read and written.
  double seconds = 0;  ///< All ranks at once.

  double bytes_per_second() const { return bytes / seconds; }
};

/// Sum over ranks and update of a gradient, by one strategy of averaging.
struct ReductionRate {
  std::string strategy;          ///< As GradientAveraging::description.
  double bytes = 0;              ///< Of the gradient of a rank, as it travels.
  double reduction_seconds = 0;  ///< Waiting, and sums over ranks.
  double update_seconds = 0;     ///< Update; by node with the sum over the node's gradients.

  double seconds() const { return reduction_seconds + update_seconds; }
  double bytes_per_second() const { return bytes / seconds(); }
};

/// One training step of a stage, and what it must at least cost: that is 0 if steps_only.
struct StageBench {
  std::string stage;
  Index samples = 0;             ///< Of the minibatch, over all ranks.
  Index parameters = 0;          ///< Of the stage: elements of its gradient.
  double record_bytes = 0;       ///< Of a sample that travels between ranks.
  double data_seconds = 0;       ///< The next minibatch.
  double objective_seconds = 0;  ///< Loss and gradient,
  double products_seconds = 0;   ///< of which its products alone take so long.
  double reduction_seconds = 0;  ///< Waiting, and sums over ranks.
  double update_seconds = 0;
  double step_seconds = 0;
  double mean_step_seconds = 0;  ///< Mean, so with the waits for the next window of samples.
  double averaging_seconds = 0;  ///< Sums and update of such a gradient with nothing to compute.
  double flop = 0;               ///< Of the products of the largest rank's part.
  double products_bound_seconds = 0;  ///< At the rates of these products alone.
  double update_bytes = 0;            ///< That a rank's update must read and write.
  double update_bound_seconds = 0;    ///< At the rate of such a pass.

  /// What else the objective does.
  double elementwise_seconds() const { return std::max(0.0, objective_seconds - products_seconds); }
  /// How many times as long a step took that did not sum and update while it computes.
  double overlap() const {
    return (data_seconds + objective_seconds + averaging_seconds) / step_seconds;
  }
  double bound_seconds() const { return products_bound_seconds + update_bound_seconds; }
  double step_to_bound() const { return step_seconds / bound_seconds(); }
  double samples_per_second() const { return static_cast<double>(samples) / step_seconds; }
};

struct BenchReport {
  Topology topology;
  Index parameters = 0;
  std::vector<std::string> hosts;  ///< Of each rank.
  std::string averaging;           ///< As GradientAveraging::description.
  std::string codes;               ///< As CodeCaching::description.
  std::vector<ProductRate> products;
  std::vector<MemoryRate> memory;
  std::vector<ReductionRate> reductions;  ///< None for one rank.
  std::vector<StageBench> stages;
};

/// Measures what the machine gives and what training makes of it, on data made in memory.
/// Collective: the same report on all ranks. Throws: CommunicationError.
BenchReport run_bench(const BenchSettings& settings, Communicator& comm);

/// The report as one JSON object; names carry their units.
std::string bench_json(const BenchReport& report, const BenchSettings& settings,
                       const std::string& libraries);

}  // namespace sae
