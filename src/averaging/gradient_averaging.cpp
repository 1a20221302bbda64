#include "sae/averaging/gradient_averaging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <utility>

#include "gradient_sum.hpp"
#include "group_average.hpp"
#include "parameter_update.hpp"
#include "sae/averaging/reproducible_sum.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/kernels/products.hpp"
#include "seconds_scope.hpp"

namespace sae {
namespace {

/// The next `count` elements of memory; advances `begin` past them.
template <typename T>
std::span<T> take(std::byte*& begin, Index count) {
  const std::span<T> taken(reinterpret_cast<T*>(begin), static_cast<std::size_t>(count));
  begin += taken.size_bytes();
  return taken;
}

std::size_t whole_lines(std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  return (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
}

std::unique_ptr<GroupAverage> make_groups(const AveragingSettings& settings, Communicator& comm) {
  if (settings.strategy != Averaging::kLocal) return nullptr;
  return std::make_unique<GroupAverage>(comm, settings.local,
                                        settings.gradient == Precision::kBfloat16);
}

std::unique_ptr<GradientSum> make_sum(const GradientSumSettings& settings, Averaging strategy,
                                      std::size_t state_bytes) {
  if (strategy != Averaging::kFlat) {
    auto node = make_node_sum(settings, state_bytes, strategy == Averaging::kNode);
    if (node) return node;
  }
  return make_flat_sum(settings);
}

}  // namespace

std::size_t GradientFormat::bytes(Index size) const {
  return whole_lines(static_cast<std::size_t>(size) *
                     (written == Precision::kBfloat16 ? sizeof(bfloat16) : sizeof(float)));
}

GradientRef<float> GradientFormat::at(std::byte* memory, Index size) const {
  if (written == Precision::kBfloat16) return {{}, take<bfloat16>(memory, size)};
  return {take<float>(memory, size), {}};
}

void SumReceiver::receive_all(Range bucket, const std::vector<GradientRef<float>>& gradients) {
  const auto receive_as = [&](auto element) {
    std::vector<std::span<const decltype(element)>> spans;
    spans.reserve(gradients.size());
    for (const auto& gradient : gradients) {
      spans.push_back(elements_of<decltype(element)>(gradient));
    }
    receive(bucket, spans);
  };
  if (gradients.front().rounded.empty()) {
    receive_as(float{});
  } else {
    receive_as(bfloat16{});
  }
}

/// Updates only in steps whose loss is finite. With sums that travel between hosts, the loss of all
/// ranks is known later than the first gradient.
class GradientAveraging::WantedUpdate final : public SumReceiver {
 public:
  explicit WantedUpdate(GradientAveraging& averaging) : averaging_(averaging) {}
  void receive(Range bucket, const std::vector<std::span<const float>>& gradients) override {
    if (averaging_.has_finite_loss()) averaging_.update_->receive(bucket, gradients);
  }
  void receive(Range bucket, const std::vector<std::span<const bfloat16>>& gradients) override {
    if (averaging_.has_finite_loss()) averaging_.update_->receive(bucket, gradients);
  }

 private:
  GradientAveraging& averaging_;
};

void SumsOfSteps::add(const StepSums& step, bool finite) {
  sums.objective += step.objective;
  sums.stop_votes += step.stop_votes;
  if (!finite) ++not_finite;
}

GradientAveraging::GradientAveraging(const ParameterLayout& layout,
                                     const AveragingSettings& settings, Communicator& comm,
                                     Heartbeat* heartbeat)
    : GradientAveraging(layout, settings, make_optimizer(settings.optimizer), comm, heartbeat) {}

GradientAveraging::GradientAveraging(const ParameterLayout& layout,
                                     const AveragingSettings& settings,
                                     std::unique_ptr<const Optimizer> optimizer, Communicator& comm,
                                     Heartbeat* heartbeat)
    : groups_(make_groups(settings, comm)),
      comm_(groups_ ? groups_->group() : comm),
      heartbeat_(heartbeat),
      optimizer_(std::move(optimizer)) {
  std::vector<std::string> names = optimizer_->slots();
  const bool averages = settings.weight_average > 0;
  const bool has_outer_velocity = groups_ && settings.local.outer_momentum > 0;
  if (has_outer_velocity) names.emplace_back(kOuterVelocitySlot);
  if (averages) names.emplace_back(kAverageSlot);
  const bool rounded = settings.products == Precision::kBfloat16;
  const auto size = static_cast<std::size_t>(layout.size());
  const std::size_t state_bytes =
      whole_lines(size * ((1 + names.size()) * sizeof(float) + (rounded ? sizeof(bfloat16) : 0)));
  const GradientFormat format{.written = settings.written_gradient(), .sent = settings.gradient};
  sum_ = make_sum({layout, format, comm_, heartbeat, seconds_}, settings.strategy, state_bytes);
  std::byte* state = sum_->allocate_state(state_bytes);
  vectors_.parameters = take<float>(state, layout.size());
  for (const std::string& name : names) {
    slots_.push_back({name, take<float>(state, layout.size())});
    vectors_.slots.push_back(slots_.back().values);
  }
  if (averages) {
    average_ = vectors_.slots.back();
    vectors_.slots.pop_back();
  }
  if (has_outer_velocity) {
    outer_velocity_ = vectors_.slots.back();
    vectors_.slots.pop_back();
  }
  if (rounded) vectors_.rounded = take<bfloat16>(state, layout.size());
  if (settings.reproducible) reproducible_ = std::make_unique<ReproducibleSum>(comm, heartbeat);
  const WeightAverage average{average_, settings.weight_average};
  update_ =
      std::make_unique<ParameterUpdate>(layout, *optimizer_, vectors_, average,
                                        settings.optimizer.max_norm, heartbeat, seconds_.update);
  wanted_update_ = std::make_unique<WantedUpdate>(*this);
}

GradientAveraging::~GradientAveraging() = default;

void GradientAveraging::broadcast_from_root() {
  std::vector<std::span<std::byte>> arrays = {std::as_writable_bytes(vectors_.parameters)};
  for (const OptimizerSlot& slot : slots_) arrays.push_back(std::as_writable_bytes(slot.values));
  if (groups_) groups_->broadcast(arrays);
  broadcast_in_group(std::move(arrays));
}

void GradientAveraging::broadcast_in_group(std::vector<std::span<std::byte>> arrays) {
  if (comm_.is_root() && !vectors_.rounded.empty()) {
    round_to_bfloat16(vectors_.parameters, vectors_.rounded);
  }
  if (!vectors_.rounded.empty()) arrays.push_back(std::as_writable_bytes(vectors_.rounded));
  sum_->broadcast_state(arrays);
}

void GradientAveraging::set_array(std::span<float> vector, const ParameterView& view,
                                  const Vector<float>& values) {
  if (sum_->initializes_state()) view_of(vector, view) = values;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  comm_.barrier();
}

void GradientAveraging::reset_slots() {
  if (!sum_->initializes_state()) return;
  for (const OptimizerSlot& slot : slots_) std::ranges::fill(slot.values, 0.0f);
}

void GradientAveraging::start_step(const OptimizerStep& step, double stop_vote) {
  update_->begin_step(step);
  step_sums_ = {};
  step_sums_.stop_votes = stop_vote;
}

void GradientAveraging::evaluate(Objective<float>& objective, const Minibatch<float>& minibatch,
                                 std::uint32_t epoch, GradientSink<float>& gradient) {
  if (!reproducible_) {
    objective.evaluate(parameters_ref(), minibatch, epoch, gradient);
    return;
  }
  trainable_range_ = objective.trainable_range();
  step_sums_ =
      reproducible_->evaluate(objective, parameters_ref(), minibatch, epoch, step_sums_.stop_votes);
}

bool GradientAveraging::reduce_sums(const ObjectiveSums& sums) {
  const PhaseScope phase(heartbeat_, Phase::kReduction);
  const SecondsScope timer(seconds_.reduction);
  Vector<double> values(4);
  values << sums.loss, sums.errors, sums.samples, step_sums_.stop_votes;
  if (sum_->overlaps()) {
    pending_sums_ = comm_.start_allreduce_sum(std::move(values), 4);
    return true;
  }
  comm_.allreduce_sum(std::span(values.data(), 4));
  take_sums(values);
  return has_finite_loss();
}

void GradientAveraging::take_sums(const Vector<double>& values) {
  step_sums_ = {.objective = {.loss = values[0], .errors = values[1], .samples = values[2]},
                .stop_votes = values[3]};
  beat(heartbeat_);
}

bool GradientAveraging::has_finite_loss() {
  if (pending_sums_) take_sums(std::exchange(pending_sums_, nullptr)->wait());
  return std::isfinite(step_sums_.objective.loss);
}

void GradientAveraging::sum_over_minibatch(std::span<double> sums) {
  const PhaseScope phase(heartbeat_, Phase::kReduction);
  const SecondsScope timer(seconds_.reduction);
  comm_.allreduce_sum(sums);
  beat(heartbeat_);
}

GradientRef<float> GradientAveraging::memory(Range bucket) {
  return sum_->memory(bucket, *wanted_update_);
}

void GradientAveraging::ready(Range bucket) {
  beat(heartbeat_);
  if (groups_) groups_->progress();
  sum_->ready(bucket, *wanted_update_);
}

bool GradientAveraging::finish_step(StepSums& sums) {
  const PhaseScope phase(heartbeat_, Phase::kReduction);
  const bool finite_loss = [&] {
    const SecondsScope timer(seconds_.reduction);
    return has_finite_loss();
  }();
  sums = step_sums_;
  // What travels between hosts is sent by now, wanted or not.
  if (!finite_loss && !sum_->overlaps()) return false;
  if (reproducible_) {
    update_->receive(trainable_range_, {within(reproducible_->gradient(), trainable_range_)});
  } else {
    sum_->finish(*wanted_update_);
  }
  return sum_->end_step(update_->finish(*sum_)) && finite_loss;
}

Index GradientAveraging::groups() const { return groups_ ? groups_->settings().groups : 1; }

Index GradientAveraging::samples_of_group(Index samples) const {
  return groups_ ? groups_->samples_of_group(samples) : samples;
}

void GradientAveraging::part(Range trained) {
  if (groups_) groups_->begin(trained, vectors_.parameters);
}

bool GradientAveraging::meet(Index updates, bool epoch_ends, SumsOfSteps& sums) {
  if (!groups_) return true;
  constexpr Index kAveragesToMeet = 8;
  const Index steps = groups_->settings().steps;
  if (!epoch_ends && updates % steps != 0) return false;
  const bool completely = epoch_ends || updates % (kAveragesToMeet * steps) == 0;
  const PhaseScope phase(heartbeat_, Phase::kReduction);
  const SecondsScope timer(seconds_.reduction);
  groups_->average(vectors_.parameters, outer_velocity_, completely);
  std::vector<std::span<std::byte>> changed = {std::as_writable_bytes(vectors_.parameters)};
  if (completely) {
    for (const OptimizerSlot& slot : slots_) {
      if (slot.name != kOuterVelocitySlot) groups_->average_vector(slot.values);
      changed.push_back(std::as_writable_bytes(slot.values));
    }
    StepSums& s = sums.sums;
    std::array<double, 5> values = {s.objective.loss, s.objective.errors, s.objective.samples,
                                    s.stop_votes, sums.not_finite};
    groups_->sum_over_groups(values);
    sums = {{{.loss = values[0], .errors = values[1], .samples = values[2]}, values[3]}, values[4]};
  }
  broadcast_in_group(std::move(changed));
  beat(heartbeat_);
  return completely;
}

void GradientAveraging::close() {
  sum_->close();
  if (groups_) groups_->close();
}

UpdateShare GradientAveraging::update_share() const { return sum_->update_share(); }

std::string GradientAveraging::description() const {
  if (!groups_) return sum_->description();
  const LocalSettings& local = groups_->settings();
  return fmt::format("{} groups update by themselves ({}), averaged every {} updates", local.groups,
                     sum_->description(), local.steps);
}

const char* name_of(Precision precision) {
  return precision == Precision::kBfloat16 ? "bfloat16" : "float32";
}

std::string describe(Precision precision) {
  const std::string name = name_of(precision);
  return precision == Precision::kFloat32 ? name : name + " operands, float32 sums and weights";
}

bool all_have_native_bfloat16(Communicator& comm) { return !comm.any(!has_native_bfloat16()); }

}  // namespace sae
