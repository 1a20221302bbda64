#include "sae/train/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "layer_statistics.hpp"
#include "sae/core/error.hpp"
#include "sae/core/host.hpp"
#include "sae/train/metrics.hpp"

namespace sae {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// Passes each bucket to a hook before forwarding it.
class HookedGradient final : public GradientSink<float> {
 public:
  HookedGradient(GradientSink<float>& gradient, const GradientHook& hook, Index step)
      : gradient_(gradient), hook_(hook), step_(step) {}

  bool reduce_sums(const ObjectiveSums& sums) override { return gradient_.reduce_sums(sums); }
  void sum_over_minibatch(std::span<double> sums) override { gradient_.sum_over_minibatch(sums); }
  GradientRef<float> memory(Range bucket) override {
    memory_ = gradient_.memory(bucket);
    return memory_;
  }
  void ready(Range bucket) override {
    hook_(step_, bucket, memory_.values);
    gradient_.ready(bucket);
  }

 private:
  GradientSink<float>& gradient_;
  const GradientHook& hook_;
  Index step_;
  GradientRef<float> memory_{{}, {}};
};

}  // namespace

RunResult Trainer::run() {
  RunSummary plan = summary();
  clock_.last_report = Clock::now();
  if (comm_.is_root()) {
    plan.check_generation = session_->generation().checker();
    observer_.run_begins(plan);
    report_warnings();
  }
  beat(control_.heartbeat);
  Outcome outcome = train_remaining_stages();
  while (outcome == Outcome::kDiverged) {
    roll_back();
    outcome = train_remaining_stages();
  }
  if (outcome == Outcome::kStopped) {
    save_and_wait({.checkpoint = true});
  } else {
    state_.progress.finished = true;
    save_and_wait({.checkpoint = true, .model = true});
  }
  RunResult result = evaluate_models(outcome == Outcome::kStopped);
  if (comm_.is_root()) session_->generation().check();
  if (control_.profile != nullptr) control_.profile->write(RunFolder(configuration_.run), comm_);
  if (comm_.is_root()) observer_.run_done(result);
  return result;
}

Trainer::Outcome Trainer::train_remaining_stages() {
  while (true) {
    const Stage& stage = current_stage();
    if (control_.profile != nullptr) control_.profile->begin_stage(stage.index);
    const Outcome outcome = train_stage(stage);
    return_freed_memory();  // The codes of the stage.
    if (control_.profile != nullptr) control_.profile->end_stage();
    if (outcome != Outcome::kDone) return outcome;
    if (stage.finetunes || stage.epochs > 0) update_layer_statistics(stage);
    if (stage.finetunes) return outcome;
    state_.progress = {.stage = state_.progress.stage + 1, .step = state_.progress.step};
    if (current_stage().finetunes && pretrains(configuration_) && session_) {
      const PhaseScope scope(control_.heartbeat, Phase::kFile);
      session_->save_pretrained();
    }
    state_.start_loss = 0;
    clock_.loss_warned = false;
  }
}

Trainer::Outcome Trainer::train_stage(const Stage& stage) {
  const Shard& samples = training_shard(stage);
  const Index steps = steps_of_epoch(samples.set_size());
  if (state_.progress.epoch == 0) averaging_->reset_slots();
  if (control_.heartbeat != nullptr) {
    control_.heartbeat->stage = static_cast<std::int32_t>(stage.index);
  }
  stage.objective->stage_begins(averaging_->parameters_ref());
  const Index kept_layers = codes_.layers_kept(stage);
  std::optional<Shard> codes;
  std::optional<Replica> all_codes;
  const auto leave = [&all_codes](Outcome outcome) {
    if (all_codes) all_codes->close();
    return outcome;
  };
  while (true) {
    if (state_.progress.epoch == 0 || state_.progress.step_in_epoch == steps) {
      if (state_.progress.epoch >= stage.epochs || stops_early(stage)) return leave(Outcome::kDone);
      ++state_.progress.epoch;
      state_.progress.step_in_epoch = 0;
      state_.epoch_sums = {};
    }
    if (kept_layers > 0 && !codes && !all_codes) {
      const PartScope timed(clock_.part_times, ProfiledPart::kBetweenSteps);
      const PhaseScope scope(control_.heartbeat, Phase::kCompute);
      codes = encode_shard(layout_, kept_layers, averaging_->parameters_ref(),
                           precision_of(configuration_), samples, control_.heartbeat);
      if (placement_.replicated) {
        all_codes.emplace(*codes, comm_, control_.heartbeat);
        codes.reset();
      }
      return_freed_memory();
    }
    const Shard& inputs = all_codes ? all_codes->samples() : codes ? *codes : streamed(samples);
    const Outcome outcome = train_epoch(stage, inputs);
    if (outcome != Outcome::kDone) return leave(outcome);
  }
}

const Shard& Trainer::streamed(const Shard& samples) {
  if (!placement_.replicated) return samples;
  std::optional<Replica>& all = &samples == &data_->training ? all_training_ : all_labelled_;
  if (!all) {
    const PhaseScope scope(control_.heartbeat, Phase::kExchange);
    const PartScope timed(clock_.part_times, ProfiledPart::kData);
    all.emplace(samples, comm_, control_.heartbeat);
  }
  return all->samples();
}

void Trainer::close() {
  for (std::optional<Replica>* all : {&all_training_, &all_labelled_}) {
    if (*all) (*all)->close();
  }
  averaging_->close();
}

Trainer::Outcome Trainer::train_epoch(const Stage& stage, const Shard& inputs) {
  const EpochOrder order(configuration_.seed, stage.index,
                         static_cast<std::uint32_t>(state_.progress.epoch), inputs.set_size());
  const Index steps = steps_of_epoch(inputs.set_size());
  const auto start = Clock::now();
  const double samples_before = state_.epoch_sums.samples;
  double communication_seconds = 0;
  const auto communicate = [&](Phase phase, auto&& action) {
    const PhaseScope scope(control_.heartbeat, phase);
    const PartScope timed(clock_.part_times, ProfiledPart::kData);
    const auto begin = Clock::now();
    auto result = action();
    communication_seconds += seconds_since(begin);
    return result;
  };
  EpochStream minibatches = [&] {
    const PartScope timed(clock_.part_times, ProfiledPart::kData);
    return EpochStream(inputs, order, samples_per_step(configuration_),
                       state_.progress.step_in_epoch, comm_);
  }();
  const auto leave = [&](Outcome outcome) {
    const PhaseScope scope(control_.heartbeat, Phase::kExchange);
    minibatches.finish();
    return outcome;
  };
  averaging_->part(stage.objective->trainable_range());
  SumsOfSteps since_meeting;
  Minibatch<float> minibatch;
  while (communicate(Phase::kExchange, [&] { return minibatches.next(minibatch); })) {
    minibatch.global_size = averaging_->samples_of_group(minibatch.global_size);
    const double epochs_done =
        static_cast<double>(state_.progress.epoch - 1) +
        static_cast<double>(state_.progress.step_in_epoch) / static_cast<double>(steps);
    const double learning_rate =
        stage.learning_rate.at(epochs_done, 1 / static_cast<double>(steps)) * rate_factor();
    const double reduction_before = averaging_->seconds().reduction;
    StepSums sums;
    // A group may have no part in the last, short minibatch.
    const bool takes_part = minibatch.global_size > 0;
    const bool finite = !takes_part || train_step(stage, minibatch, learning_rate, sums);
    since_meeting.add(sums, finite);
    const bool epoch_ended = state_.progress.step_in_epoch + 1 == steps;
    const bool together =
        averaging_->meet(state_.progress.step_in_epoch + 1, epoch_ended, since_meeting);
    communication_seconds += averaging_->seconds().reduction - reduction_before;
    if (together && since_meeting.not_finite > 0) return leave(Outcome::kDiverged);

    if (state_.progress.epoch == 1 && state_.progress.step_in_epoch == 0) {
      state_.start_loss = sums.objective.loss / sums.objective.samples;
    }
    ++state_.progress.step;
    ++state_.progress.step_in_epoch;
    ++clock_.steps;
    if (control_.heartbeat != nullptr) {
      control_.heartbeat->step = state_.progress.step;
      control_.heartbeat->beat();
    }
    const double seconds = seconds_since(start);
    const double seen = state_.epoch_sums.samples - samples_before +
                        since_meeting.sums.objective.samples *
                            static_cast<double>(together ? 1 : averaging_->groups());
    if (comm_.is_root() && takes_part) {
      observer_.step_done({.stage = stage.index,
                           .epoch = state_.progress.epoch,
                           .step = state_.progress.step_in_epoch,
                           .run_step = state_.progress.step,
                           .learning_rate = learning_rate,
                           .loss = sums.objective.loss / sums.objective.samples,
                           .samples = minibatch.global_size,
                           .communication_share = communication_seconds / seconds,
                           .samples_per_second = seen / seconds});
    }
    if (!together) continue;
    const StepSums met = std::exchange(since_meeting, {}).sums;
    state_.epoch_sums += met.objective;
    if (epoch_ended) finish_epoch(stage, seconds, communication_seconds, samples_before);
    const bool stop = met.stop_votes > 0 ||
                      (control_.stop_after_steps && clock_.steps >= *control_.stop_after_steps);
    if (stop) return leave(Outcome::kStopped);
    const PartScope timed(clock_.part_times, ProfiledPart::kBetweenSteps);
    if (comm_.is_root()) {
      const PhaseScope scope(control_.heartbeat, Phase::kFile);
      session_->save_if_due(epoch_ended, epoch_ended && state_.progress.epoch == stage.epochs);
      report_saves();
    }
  }
  return Outcome::kDone;
}

bool Trainer::train_step(const Stage& stage, Minibatch<float>& minibatch, double learning_rate,
                         StepSums& sums) {
  const auto epoch = static_cast<std::uint32_t>(state_.progress.epoch);
  const double stop_vote = is_time_to_stop() ? 1 : 0;
  const Index steps = steps_of_epoch(training_shard(stage).set_size());
  const OptimizerStep step{
      .learning_rate = static_cast<float>(learning_rate),
      .weight_decay = static_cast<float>(stage.weight_decay),
      .gradient_scale = 1.0f / static_cast<float>(minibatch.global_size),
      .number = (state_.progress.epoch - 1) * steps + state_.progress.step_in_epoch + 1};
  {
    const PartScope timed(clock_.part_times, ProfiledPart::kData);
    if (labelled_ && stage.finetunes) {
      labelled_->prepend(step.number - 1, minibatch);
      minibatch.global_besides = averaging_->samples_of_group(minibatch.global_besides);
    }
    if (distorter_) {
      distorter_->distort({configuration_.seed, stage.index, epoch}, minibatch.samples,
                          minibatch.inputs);
    }
  }
  const UpdateSeconds before = averaging_->seconds();
  const auto begin = Clock::now();
  const PhaseScope scope(control_.heartbeat, Phase::kCompute);
  averaging_->start_step(step, stop_vote);
  if (control_.gradient_hook) {
    HookedGradient gradient(*averaging_, control_.gradient_hook, state_.progress.step);
    averaging_->evaluate(*stage.objective, minibatch, epoch, gradient);
  } else {
    averaging_->evaluate(*stage.objective, minibatch, epoch, *averaging_);
  }
  // Excludes the time of reductions and updates that overlapped the objective.
  const UpdateSeconds& after = averaging_->seconds();
  const auto computed =
      std::max(begin, Clock::now() - duration_of(after.reduction - before.reduction) -
                          duration_of(after.update - before.update));
  const bool finite = averaging_->finish_step(sums);
  clock_.part_times.add_step(begin, computed, Clock::now(),
                             duration_of(after.update - before.update));
  return finite;
}

bool Trainer::stops_early(const Stage& stage) const {
  return stage.finetunes && configuration_.early_stop > 0 && state_.best &&
         state_.progress.epoch - state_.best->reached >= configuration_.early_stop;
}

bool Trainer::is_time_to_stop() const {
  if (control_.stop_requested && control_.stop_requested()) return true;
  if (!control_.max_seconds || !comm_.is_root()) return false;
  // Leave time to finish the write in progress, to save once more, and to exit.
  const double reserve = std::min(5.0, *control_.max_seconds / 4) + session_->seconds_to_save();
  return seconds_of_session() > *control_.max_seconds - reserve;
}

std::string Trainer::why_stopped() const {
  for (const std::string& reason :
       comm_.allgather(control_.stop_reason ? control_.stop_reason() : "")) {
    if (!reason.empty()) return reason;
  }
  const auto& limit = control_.stop_after_steps;
  return limit && clock_.steps >= *limit ? "--stop-after-steps" : "--max-time";
}

void Trainer::finish_epoch(const Stage& stage, double seconds, double communication_seconds,
                           double samples_before) {
  const PhaseScope scope(control_.heartbeat, Phase::kCompute);
  const Index steps = state_.progress.step_in_epoch;
  EpochReport report;
  report.stage = stage.name;
  report.epoch = state_.progress.epoch;
  report.epochs = stage.epochs;
  report.step = state_.progress.step;
  const double step = 1 / static_cast<double>(steps);  // In epochs.
  report.learning_rate =
      stage.learning_rate.at(static_cast<double>(report.epoch) - step, step) * rate_factor();
  report.loss = state_.epoch_sums.loss / state_.epoch_sums.samples;
  report.samples = static_cast<Index>(state_.epoch_sums.samples);
  report.seconds = seconds;
  report.samples_per_second = (state_.epoch_sums.samples - samples_before) / seconds;
  report.communication_share = communication_seconds / seconds;
  if (stage.finetunes) {
    if (data_->validation.set_size() > 0) update_layer_statistics(stage);
    if (classifies()) {
      report.train_error = 100 * state_.epoch_sums.errors / state_.epoch_sums.samples;
    }
    if (data_->validation.set_size() > 0) {
      const PartScope timed(clock_.part_times, ProfiledPart::kBetweenSteps);
      report.validation =
          evaluate(layout_, {model_parameters(), {}}, data_->validation, comm_, control_.heartbeat);
      // On a tie, prefer the later epoch: it was trained longer, at a lower learning rate.
      report.best = report.validation->samples > 0 &&
                    (!state_.best || report.validation->figure() <= state_.best->figure);
    }
  }
  if (report.best) {
    const double figure = report.validation->figure();
    const bool is_tie = state_.best && state_.best->figure == figure;
    state_.best =
        BestEpoch{figure, report.epoch, is_tie ? state_.best->reached : report.epoch, report.step};
  }
  report.times = gather_times();
  if (comm_.is_root()) {
    const PartScope timed(clock_.part_times, ProfiledPart::kBetweenSteps);
    session_->history += metrics_line(report);
    observer_.epoch_done(report);
    warn_of_no_progress(stage, report.loss);
    if (report.best) {
      const PhaseScope saving(control_.heartbeat, Phase::kFile);
      session_->save_best();
    }
  }
}

void Trainer::update_layer_statistics(const Stage& stage) {
  const Index layer{stage.index};
  update_statistics(layout_, stage.finetunes ? Range{0, layout_.layers()} : Range{layer, layer + 1},
                    data_->training, configuration_, distorter_ ? &*distorter_ : nullptr,
                    model_parameters(), *averaging_, comm_, control_.heartbeat);
}

std::span<float> Trainer::model_parameters() {
  const bool averaged = current_stage().finetunes && state_.progress.epoch > 0;
  return averaged && !averaging_->average().empty() ? averaging_->average()
                                                    : averaging_->parameters();
}

std::vector<RankTime> Trainer::gather_times() {
  const RankTime own{clock_.part_times.take(),
                     seconds_since(std::exchange(clock_.last_report, Clock::now()))};
  return comm_.allgather_values(std::span(&own, 1));
}

Vector<float> Trainer::parameters() const {
  return Eigen::Map<const Vector<float>>(averaging_->parameters_ref().values.data(),
                                         layout_.size());
}

}  // namespace sae
