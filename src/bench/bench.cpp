#include "sae/bench/bench.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "bench_measure.hpp"
#include "sae/core/host.hpp"
#include "sae/core/partition.hpp"
#include "sae/data/epoch_stream.hpp"
#include "sae/data/replica.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/train/code_cache.hpp"
#include "sae/train/data_placement.hpp"
#include "sae/train/stage.hpp"

namespace sae {
namespace {

bool same_shape(const ProductRate& a, const ProductRate& b) {
  return a.kind == b.kind && a.outputs == b.outputs && a.inputs == b.inputs &&
         a.samples == b.samples && a.wide_result == b.wide_result;
}

Topology topology_of(const BenchSettings& settings) {
  DatasetInfo info;
  info.features = settings.inputs;
  info.classes = settings.classes;
  return topology_for(settings.configuration, info);
}

/// Samples of the synthetic set: whole minibatches.
Index synthetic_size(const BenchSettings& settings) {
  constexpr Index kAbout = 16384;
  const Index batch = samples_per_step(settings.configuration);
  return batch * std::max<Index>(4, kAbout / batch);
}

/// This rank's shard of random pixels.
Shard synthetic_shard(const BenchSettings& settings, const Communicator& comm) {
  const Index set_size = synthetic_size(settings);
  Shard shard({.features = settings.inputs, .pixel_type = PixelType::kUint8}, set_size,
              part_of_range({0, set_size}, comm.rank(), comm.size()));
  const Range samples = shard.samples();
  std::uint32_t state = 1 + static_cast<std::uint32_t>(comm.rank());
  for (Index sample = samples.begin; sample < samples.end; ++sample) {
    const auto record = shard.records({sample, sample + 1});
    for (std::byte& pixel : record) {
      state = state * 1664525U + 1013904223U;
      pixel = static_cast<std::byte>(state >> 24);
    }
    const auto label = static_cast<std::uint16_t>(sample % settings.classes);
    const auto bytes = std::as_bytes(std::span(&label, 1));
    std::copy(bytes.begin(), bytes.end(), record.end() - sizeof label);
  }
  return shard;
}

/// Runs training steps of a stage, epoch after epoch.
class SyntheticSteps {
 public:
  SyntheticSteps(const Stage& stage, const BenchSettings& settings, const Shard& shard,
                 GradientAveraging& averaging, Communicator& comm)
      : stage_(stage),
        configuration_(settings.configuration),
        shard_(shard),
        averaging_(averaging),
        comm_(comm) {
    averaging_.part(stage.objective->trainable_range());
  }

  void run_one() {
    if (!stream_) begin_epoch();
    const auto begin = BenchClock::now();
    if (!stream_->next(minibatch_)) {
      begin_epoch();
      stream_->next(minibatch_);
    }
    data.push_back(bench_seconds_since(begin));
    minibatch_.global_size = averaging_.samples_of_group(minibatch_.global_size);
    const UpdateSeconds before = averaging_.seconds();
    const auto computing = BenchClock::now();
    // Too low a rate to change the weights.
    averaging_.start_step({.learning_rate = 1e-6F,
                           .gradient_scale = 1.0F / static_cast<float>(minibatch_.global_size)},
                          0);
    stage_.objective->evaluate(averaging_.parameters_ref(), minibatch_, epoch_, averaging_);
    StepSums sums;
    SumsOfSteps since_meeting;
    since_meeting.add(sums, averaging_.finish_step(sums));
    averaging_.meet(++updates_, false, since_meeting);
    update.push_back(averaging_.seconds().update - before.update);
    reduction.push_back(averaging_.seconds().reduction - before.reduction);
    objective.push_back(bench_seconds_since(computing) - update.back() - reduction.back());
    step_time.push_back(bench_seconds_since(begin));
  }

  /// Collective.
  void finish() {
    SumsOfSteps sums;
    averaging_.meet(updates_, true, sums);
    stream_->finish();
  }

  void clear_times() {
    for (auto* times : {&data, &objective, &reduction, &update, &step_time}) times->clear();
  }

  std::vector<double> data, objective, reduction, update, step_time;

 private:
  void begin_epoch() {
    ++epoch_;
    stream_.emplace(shard_,
                    EpochOrder(configuration_.seed, stage_.index, epoch_, shard_.set_size()),
                    samples_per_step(configuration_), 0, comm_);
  }

  const Stage& stage_;
  const Configuration& configuration_;
  const Shard& shard_;
  GradientAveraging& averaging_;
  Communicator& comm_;
  std::uint32_t epoch_ = 0;
  Index updates_ = 0;
  std::optional<EpochStream> stream_;
  Minibatch<float> minibatch_;
};

class Bench {
 public:
  Bench(const BenchSettings& settings, Communicator& comm)
      : settings_(settings),
        comm_(comm),
        peak_(precision_of(settings.configuration)),
        layout_(topology_of(settings)),
        stages_(plan_stages(settings.configuration, layout_)),
        averaging_(std::make_unique<GradientAveraging>(
            layout_, averaging_settings(settings.configuration), comm, settings.heartbeat)),
        local_batch_size_(steps_per_epoch(samples_per_step(settings.configuration), comm.size())) {
    if (comm.is_root()) {
      Vector<float> initial;
      initialize_parameters(layout_, settings.configuration.seed, initial);
      std::copy(initial.begin(), initial.end(), averaging_->parameters().begin());
    }
    averaging_->broadcast_from_root();
    report_.topology = layout_.topology();
    report_.parameters = layout_.size();
    report_.hosts = comm.allgather(host_name());
    report_.averaging = averaging_->description();
    codes_ = decide_code_caching(settings.configuration, synthetic_size(settings), {}, comm);
    report_.codes = codes_.description;
  }

  BenchReport run() {
    if (!settings_.steps_only) {
      for (const Stage& stage : stages_) measure_products(stage);
      beat(settings_.heartbeat);
      report_.memory.push_back(measure_copy(settings_.seconds, comm_));
      for (const Stage& stage : stages_) measure_update(stage);
    }
    const Shard shard = synthetic_shard(settings_, comm_);
    const double bytes_of_kept_codes =
        codes_.used ? bytes_of_codes(settings_.configuration, shard.set_size()) : 0;
    placement_ =
        decide_data_placement(settings_.configuration.data_placement,
                              static_cast<double>(shard.set_bytes()) + bytes_of_kept_codes, comm_);
    report_.data_placement = placement_.description;
    for (const Stage& stage : stages_) measure_step(stage, shard);
    if (!settings_.steps_only) report_.reductions = measure_reductions(settings_, comm_);
    return std::move(report_);
  }

 private:
  std::vector<StageProduct> products_of(const Stage& stage) {
    Minibatch<float> minibatch;
    minibatch.encoded_layers = codes_.layers_kept(stage);
    minibatch.inputs = Matrix<float>::Constant(
        layout_.topology().inputs_of(minibatch.encoded_layers), local_batch_size_, 0.5F);
    minibatch.labels.resize(static_cast<std::size_t>(local_batch_size_));
    minibatch.samples.resize(static_cast<std::size_t>(local_batch_size_));
    minibatch.global_size = samples_per_step(settings_.configuration);
    return stage_products(
        layout_, stage, averaging_->parameters_ref(), minibatch,
        averaging_settings(settings_.configuration).written_gradient() == Precision::kBfloat16);
  }

  void measure_products(const Stage& stage) {
    for (const StageProduct& product : products_of(stage)) {
      if (find_rate(product.shape) != nullptr) continue;
      ProductRate rate = product.shape;
      rate.seconds = measure(settings_.seconds, comm_, product.run, [&] { peak_.run_at_times(); });
      rate.peak = peak_.take(comm_);
      beat(settings_.heartbeat);
      report_.products.push_back(std::move(rate));
    }
  }

  const ProductRate* find_rate(const ProductRate& shape) const {
    const auto found =
        std::find_if(report_.products.begin(), report_.products.end(),
                     [&](const ProductRate& rate) { return same_shape(rate, shape); });
    return found == report_.products.end() ? nullptr : &*found;
  }

  UpdatePass update_pass_of(const Stage& stage) const {
    const UpdateShare share = averaging_->update_share();
    return {.elements = steps_per_epoch(stage.objective->trainable_range().size(), share.owners),
            .gradients = share.gradients,
            .gradient_elements = share.in_buckets ? largest_bucket(layout_) : 0,
            .rounded_gradients = share.element == Precision::kBfloat16,
            .slots = static_cast<Index>(averaging_->slots().size()),
            .rounded_parameters = precision_of(settings_.configuration) == Precision::kBfloat16};
  }

  void measure_update(const Stage& stage) {
    MemoryRate rate = measure_update_pass(update_pass_of(stage), settings_.seconds, comm_);
    rate.pass = "update " + stage.name;
    report_.memory.push_back(std::move(rate));
  }

  void measure_step(const Stage& stage, const Shard& shard) {
    StageBench bench{.stage = stage.name,
                     .samples = samples_per_step(settings_.configuration),
                     .parameters = stage.objective->trainable_range().size()};
    std::optional<Shard> codes;
    if (const Index layers = codes_.layers_kept(stage); layers > 0) {
      codes = encode_shard(layout_, layers, averaging_->parameters_ref(),
                           precision_of(settings_.configuration), shard, nullptr);
    }
    const Shard& inputs = codes ? *codes : shard;
    bench.record_bytes = static_cast<double>(inputs.format().bytes());
    std::optional<Replica> all;
    if (placement_.replicated) all.emplace(inputs, comm_, settings_.heartbeat);
    SyntheticSteps steps(stage, settings_, all ? all->samples() : inputs, *averaging_, comm_);
    const int repetitions = repetitions_for(settings_.seconds, comm_, [&] { steps.run_one(); });
    steps.clear_times();
    comm_.barrier();
    const auto begin = BenchClock::now();
    for (int i = 0; i < repetitions; ++i) steps.run_one();
    steps.finish();
    if (all) all->close();
    bench.mean_step_seconds = mean_over_ranks(bench_seconds_since(begin) / repetitions, comm_);
    const auto typical = [&](const std::vector<double>& times) {
      return mean_over_ranks(median(times), comm_);
    };
    bench.data_seconds = typical(steps.data);
    bench.objective_seconds = typical(steps.objective);
    bench.reduction_seconds = typical(steps.reduction);
    bench.update_seconds = typical(steps.update);
    const bool meets_at_times = averaging_->groups() > 1;
    bench.step_seconds = meets_at_times ? bench.mean_step_seconds : typical(steps.step_time);
    bench.averaging_seconds = measure_averaging(*averaging_, stage.objective->trainable_range(),
                                                largest_bucket(layout_), settings_, comm_)
                                  .seconds();
    if (!settings_.steps_only) compare(stage, bench);
    report_.stages.push_back(std::move(bench));
  }

  /// Sets the parts of the step and their bounds.
  void compare(const Stage& stage, StageBench& bench) {
    // The kernels do not time themselves. Repeat the products without the rest of the objective;
    // the difference is elementwise work.
    bench.products_seconds = measure_products_in_sequence(stage, bench);
    const MemoryRate& update =
        *std::find_if(report_.memory.begin(), report_.memory.end(),
                      [&](const MemoryRate& rate) { return rate.pass == "update " + stage.name; });
    bench.update_bytes = update.bytes;
    bench.update_bound_seconds = update.seconds;
  }

  /// Returns the sum of the median times of the products, run in sequence as in a step; sets their
  /// flop, bound and peak.
  double measure_products_in_sequence(const Stage& stage, StageBench& bench) {
    const auto products = products_of(stage);
    std::vector<std::vector<double>> times(products.size());
    const auto once = [&] {
      for (std::size_t i = 0; i < products.size(); ++i) {
        const auto begin = BenchClock::now();
        products[i].run();
        times[i].push_back(bench_seconds_since(begin));
      }
    };
    const int repetitions = repetitions_for(settings_.seconds, comm_, once);
    for (auto& of_product : times) of_product.clear();
    comm_.barrier();
    for (int i = 0; i < repetitions; ++i) {
      once();
      peak_.run_at_times();
    }
    bench.peak = peak_.take(comm_);
    double sum = 0;
    for (std::size_t i = 0; i < products.size(); ++i) {
      sum += median(times[i]);
      bench.flop += products[i].shape.flop();
      bench.products_bound_seconds += find_rate(products[i].shape)->seconds;
    }
    return mean_over_ranks(sum, comm_);
  }

  const BenchSettings& settings_;
  Communicator& comm_;
  PeakMeter peak_;
  ParameterLayout layout_;
  std::vector<Stage> stages_;
  std::unique_ptr<GradientAveraging> averaging_;
  CodeCaching codes_;
  PlacementOfData placement_;
  Index local_batch_size_;  // The largest of all ranks.
  BenchReport report_;
};

}  // namespace

BenchReport run_bench(const BenchSettings& settings, Communicator& comm) {
  return Bench(settings, comm).run();
}

}  // namespace sae
