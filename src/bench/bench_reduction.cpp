#include "bench_measure.hpp"
#include "sae/model/gradient_buckets.hpp"

namespace sae {
namespace {

constexpr Index kSmallestBytes = 1024;
constexpr Index kLargestBytes = Index{64} << 20;
constexpr Index kRowLength = 4096;

}  // namespace

ReductionRate measure_averaging(GradientAveraging& averaging, Range trainable, Index bucket_size,
                                const BenchSettings& settings, Communicator& comm) {
  std::vector<double> reductions;
  std::vector<double> updates;
  // Scale 0: whatever the buckets hold, the parameters stay.
  const OptimizerStep step{.learning_rate = 0.1F, .gradient_scale = 0};
  averaging.reset_slots();
  const auto once = [&] {
    StepSums sums;
    const double update_before = averaging.seconds().update;
    const auto begin = BenchClock::now();
    averaging.start_step(step, 0);
    averaging.reduce_sums({});
    for (Index first = trainable.begin; first < trainable.end; first += bucket_size) {
      const Range bucket{first, std::min(first + bucket_size, trainable.end)};
      averaging.memory(bucket);
      averaging.ready(bucket);
    }
    averaging.finish_step(sums);
    const double total = bench_seconds_since(begin);
    updates.push_back(averaging.seconds().update - update_before);
    reductions.push_back(total - updates.back());
  };
  const int repetitions = repetitions_for(settings.seconds, comm, once);
  reductions.clear();
  updates.clear();
  comm.barrier();
  for (int i = 0; i < repetitions; ++i) once();
  ReductionRate rate;
  rate.reduction_seconds = mean_over_ranks(median(reductions), comm);
  rate.update_seconds = mean_over_ranks(median(updates), comm);
  return rate;
}

std::vector<ReductionRate> measure_reductions(const BenchSettings& settings, Communicator& comm) {
  std::vector<ReductionRate> rates;
  if (comm.size() == 1) return rates;
  AveragingSettings averaging_of = averaging_settings(settings.configuration);
  const bool rounded = averaging_of.gradient == Precision::kBfloat16;
  const Index element_bytes = rounded ? 2 : 4;
  const ParameterLayout layout(
      {.inputs = kRowLength, .hidden = {kLargestBytes / element_bytes / kRowLength}, .classes = 1});
  // kAuto tries kNode, and falls back to kFlat instead of throwing.
  for (const Averaging strategy : {Averaging::kFlat, Averaging::kAuto}) {
    averaging_of.strategy = strategy;
    GradientAveraging averaging(layout, averaging_of, comm, settings.heartbeat);
    if (strategy == Averaging::kAuto && averaging.update_share().owners == 1) break;
    for (Index bytes = kSmallestBytes; bytes <= kLargestBytes; bytes *= 4) {
      ReductionRate rate = measure_averaging(averaging, {0, bytes / element_bytes},
                                             largest_bucket(layout), settings, comm);
      rate.strategy = averaging.description();
      rate.bytes = static_cast<double>(bytes);
      rates.push_back(std::move(rate));
    }
  }
  return rates;
}

}  // namespace sae
