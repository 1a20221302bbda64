#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/config/configuration.hpp"

namespace sae {

struct BenchSettings {
  Configuration configuration;  ///< Requires: `auto` is resolved, except for the averaging.
  Index inputs = 784;
  Index classes = 10;
  double seconds = 0.3;            ///< Per measurement.
  bool steps_only = false;         ///< Measure training steps without their bounds.
  Heartbeat* heartbeat = nullptr;  ///< Beaten by each measurement; may be null.
};

// A time is that of one call: the median over a rank's repetitions, then the mean over ranks. All
// ranks measure the same thing at the same time.

/// A matrix product alone, repeated: operands that fit are in a cache.
struct ProductRate {
  std::string kind;   ///< "forward", "transposed" or "gradient".
  Index outputs = 0;  ///< Of the weights.
  Index inputs = 0;   ///< Of the weights.
  Index samples = 0;  ///< The largest local batch; twice that for the gradient of tied weights.
  bool wide_result = true;  ///< float32; else bfloat16.
  double seconds = 0;
  double peak = 0;  ///< Operations a second of a rank's instructions meanwhile; 0: not known.

  double flop() const {
    return 2.0 * static_cast<double>(outputs) * static_cast<double>(inputs) *
           static_cast<double>(samples);
  }
  double flop_per_second() const { return flop() / seconds; }
  double share_of_peak() const { return peak > 0 ? flop_per_second() / peak : 0; }
};

/// One pass over memory by all ranks at once.
struct MemoryRate {
  std::string pass;  ///< "copy", or "update" and the name of the stage.
  double bytes = 0;  ///< Read and written by one rank.
  double seconds = 0;

  double bytes_per_second() const { return bytes / seconds; }
};

/// Reduction and update of a gradient by one averaging strategy.
struct ReductionRate {
  std::string strategy;          ///< As GradientAveraging::description.
  double bytes = 0;              ///< Of the gradient of a rank, as sent.
  double reduction_seconds = 0;  ///< Waits and sums over ranks.
  double update_seconds = 0;     ///< Includes the sum over the node's gradients, if by node.

  double seconds() const { return reduction_seconds + update_seconds; }
  double bytes_per_second() const { return bytes / seconds(); }
};

/// One training step of a stage and its lower bound, which is 0 if steps_only.
struct StageBench {
  std::string stage;
  Index samples = 0;             ///< Of the minibatch, over all ranks.
  Index parameters = 0;          ///< Size of the trainable range.
  double record_bytes = 0;       ///< Of a sample sent between ranks.
  double data_seconds = 0;       ///< Fetching the next minibatch.
  double objective_seconds = 0;  ///< Loss and gradient.
  double products_seconds = 0;   ///< Matrix products of the objective.
  double reduction_seconds = 0;  ///< Waits and sums over ranks.
  double update_seconds = 0;
  double step_seconds = 0;
  double mean_step_seconds = 0;       ///< The mean, which includes waits for windows of samples.
  double averaging_seconds = 0;       ///< Reduction and update alone, without overlap.
  double flop = 0;                    ///< Of the products of the largest local batch.
  double peak = 0;                    ///< As of ProductRate, in turn with these products.
  double products_bound_seconds = 0;  ///< At the rates of the products alone.
  double update_bytes = 0;            ///< Read and written by a rank's update.
  double update_bound_seconds = 0;    ///< At the rate of a memory pass of the same traffic.

  /// The objective without its products.
  double elementwise_seconds() const { return std::max(0.0, objective_seconds - products_seconds); }
  /// Speed-up from overlapping reduction and update with computation.
  double overlap() const {
    return (data_seconds + objective_seconds + averaging_seconds) / step_seconds;
  }
  double bound_seconds() const { return products_bound_seconds + update_bound_seconds; }
  double step_to_bound() const { return step_seconds / bound_seconds(); }
  double samples_per_second() const { return static_cast<double>(samples) / step_seconds; }
  double share_of_peak() const { return peak > 0 ? flop / step_seconds / peak : 0; }
};

struct BenchReport {
  Topology topology;
  Index parameters = 0;
  std::vector<std::string> hosts;  ///< By rank.
  std::string averaging;           ///< As GradientAveraging::description.
  std::string codes;               ///< As CodeCaching::description.
  std::string data_placement;      ///< As PlacementOfData::description.
  std::vector<ProductRate> products;
  std::vector<MemoryRate> memory;
  std::vector<ReductionRate> reductions;  ///< Empty with one rank.
  std::vector<StageBench> stages;
};

/// Measures machine and training steps on synthetic data.
/// Collective: the same report on all ranks. Throws: CommunicationError.
BenchReport run_bench(const BenchSettings& settings, Communicator& comm);

/// The report as one JSON object; keys carry their units.
std::string bench_json(const BenchReport& report, const BenchSettings& settings,
                       const std::string& libraries);

}  // namespace sae
