// How a run begins, resumes, saves and rolls back.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "data_warnings.hpp"
#include "initial_model.hpp"
#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/train/trainer.hpp"

namespace sae {
namespace {

constexpr Index kMostDivergences = 3;

SessionSettings session_settings(const Configuration& configuration, const RunControl& control) {
  return {.folder = configuration.run,
          .resume = control.resume,
          .resume_file = control.resume_file,
          .checkpoint_every = control.checkpoint_every,
          .checkpoint_patience = control.checkpoint_patience,
          .keep_checkpoints = control.keep_checkpoints,
          .initial_model = configuration.initial_model};
}

}  // namespace

Trainer::Trainer(const Configuration& configuration, const RunControl& control,
                 DistributedDataset& dataset, Communicator& comm, TrainingObserver& observer)
    : configuration_(configuration),
      control_(control),
      comm_(comm),
      observer_(observer),
      layout_(Topology()),
      clock_(control.profile) {
  const PhaseScope scope(control.heartbeat, Phase::kFile);
  std::optional<Configuration> resumed;
  // On rank 0 only, so that a failure prints one message, not one per rank.
  if (comm.is_root()) {
    check_dataset(configuration, dataset.info());
    session_ = std::make_unique<RunSession>(session_settings(configuration, control));
    resumed = session_->find_checkpoint();
  }
  comm.barrier();
  const std::string recorded = comm.allgather(resumed ? to_text(*resumed) : "")[0];
  if (!recorded.empty()) resumed = recorded_configuration(recorded);
  decide_precision(resumed);
  decide_local_groups(configuration_, resumed ? &*resumed : nullptr, comm);
  load_data(dataset, resumed);
  layout_ = ParameterLayout(topology_for(configuration_, data_->info));
  if (configuration_.noise == NoiseKind::kSwap ||
      configuration_.finetune_noise == NoiseKind::kSwap) {
    data_->draw_donors(configuration_.seed, comm);
  }
  if (configuration_.labelled_batch.value_or(0) > 0) {
    labelled_.emplace(data_->shard_for(true),
                      *configuration_.labelled_batch * groups_of(configuration_),
                      configuration_.seed, comm);
  }
  if (configuration_.distortion.is_used()) {
    distorter_.emplace(configuration_.distortion, data_->info.height, data_->info.width);
  }
  stages_ = plan_stages(configuration_, layout_, data_->donors);
  averaging_ = std::make_unique<GradientAveraging>(layout_, averaging_settings(configuration_),
                                                   comm, control.heartbeat);
  if (!resumed) restart();
  codes_ = decide_code_caching(configuration_, data_->training.set_size(),
                               resumed ? &*resumed : nullptr, comm);
  if (configuration_.cache_codes == CacheCodes::kAuto) {
    configuration_.cache_codes = codes_.used ? CacheCodes::kOn : CacheCodes::kOff;
  }
  placement_ = decide_data_placement(configuration_.data_placement, bytes_to_replicate(), comm);
  // After all ranks have loaded their shards: unsuitable data must not leave files in the folder.
  comm.barrier();
  if (comm.is_root()) {
    session_->start(
        {configuration_, layout_.topology(), data_->spec(), data_->description(), data_->digest},
        {averaging_->parameters(), averaging_->slots(), state_},
        [this] { observer_.checkpoint_begins(); });
    if (const auto note = added_epochs_note(); !note.empty()) session_->notes.push_back(note);
  }
  broadcast_state();
}

Trainer::~Trainer() = default;

void Trainer::load_data(DistributedDataset& dataset, const std::optional<Configuration>& resumed) {
  if (!configuration_.validation) {
    configuration_.validation = resumed ? resumed->validation : ValidationChoice::kRandom;
  }
  constexpr Index kMostValidated = 5000;
  Configuration& c = configuration_;
  const Configuration* const before = resumed ? &*resumed : nullptr;
  decide(c, &Configuration::validation_size, before,
         std::min(kMostValidated, dataset.info().train_count / 10));
  decide(c, &Configuration::validation, before, ValidationChoice::kRandom);
  if (const auto scale = initial_scale_of(c)) {
    decide(c, &Configuration::initial_scale, before, *scale);
  }
  data_ = std::make_unique<RunData>(configuration_, dataset, comm_);
  const bool starts_from_model = !resumed && !configuration_.initial_model.empty();
  if (starts_from_model) {
    InitialChoices choices;
    if (session_) {
      choices = check_initial_model(*session_->initial_model(), configuration_, data_->info);
    }
    comm_.broadcast(std::as_writable_bytes(std::span(&choices, 1)), 0);
    take_over(choices, configuration_);
  }
  decide_by_data(configuration_, *data_, before, comm_);
  const auto warnings = data_warnings(*data_, uses_labels(configuration_),
                                      configuration_.scale != ScalingKind::kNone, comm_);
  if (session_) {
    session_->warnings.insert(session_->warnings.end(), warnings.begin(), warnings.end());
  }
  Scaling scaling;
  if (resumed || starts_from_model) {
    if (session_) scaling = session_->found_scaling();
    broadcast(scaling, comm_);
  } else {
    scaling = fit_scaling(*configuration_.scale, data_->training, comm_);
  }
  data_->scale_by(scaling);
}

double Trainer::bytes_to_replicate() const {
  const std::size_t samples =
      data_->training.set_bytes() + (data_->labelled ? data_->labelled->set_bytes() : 0);
  return static_cast<double>(samples) +
         (codes_.used ? bytes_of_codes(configuration_, data_->training.set_size()) : 0);
}

void Trainer::decide_precision(const std::optional<Configuration>& resumed) {
  const bool native = all_have_native_bfloat16(comm_);
  const auto decide = [&](const char* name, std::optional<Precision> Configuration::*precision,
                          Precision here) {
    if (configuration_.*precision) return;
    configuration_.*precision = resumed ? ((*resumed).*precision).value_or(here) : here;
    if (configuration_.*precision == here || !session_) return;
    session_->decisions.push_back(
        fmt::format("--{} auto stays {}, as the run began; a run that begins here would take {}",
                    name, name_of(*(configuration_.*precision)), name_of(here)));
  };
  decide("precision", &Configuration::precision,
         native ? Precision::kBfloat16 : Precision::kFloat32);
  decide("gradient-precision", &Configuration::gradient_precision,
         configuration_.reproducible ? Precision::kFloat32 : precision_of(configuration_));
  if (session_ && configuration_.precision == Precision::kBfloat16 && !native) {
    session_->warnings.emplace_back(
        "Not all processors have bfloat16 instructions; there bfloat16 is slower than float32.");
  }
}

void Trainer::restart() {
  if (comm_.is_root()) {
    Vector<float> initial;
    initialize_parameters(layout_, configuration_.seed, initial, configuration_.initial_scale);
    if (session_->initial_model()) {
      copy_layers(*session_->initial_model(), layout_,
                  {initial.data(), static_cast<std::size_t>(initial.size())});
    }
    std::copy(initial.begin(), initial.end(), averaging_->parameters().begin());
    averaging_->reset_slots();
    session_->history.clear();
  }
  state_ = {.divergences = state_.divergences, .data_digest = data_->digest};
}

std::string Trainer::added_epochs_note() const {
  if (!session_->recorded()) return {};
  const Index before = epochs_of(*session_->recorded(), state_.progress.stage);
  const Stage& stage = current_stage();
  const Progress& progress = state_.progress;
  if (before == 0 || before == stage.epochs || progress.epoch == 0) return {};
  const auto steps = static_cast<double>(steps_of_epoch(data_->training.set_size()));
  const double done =
      static_cast<double>(progress.epoch - 1) + static_cast<double>(progress.step_in_epoch) / steps;
  LearningRate rate = stage.learning_rate;
  rate.epochs = static_cast<double>(before);
  const double last = rate_factor() * rate.at(done - 1 / steps, 1 / steps);
  const double next = rate_factor() * stage.learning_rate.at(done, 1 / steps);
  const std::string name = stage.finetunes
                               ? std::string("fine-tuning")
                               : fmt::format("pretraining of layer {}", stage.index + 1);
  return fmt::format("{} goes on for {} more epochs: the learning rate {} from {:.3g} to {:.3g}",
                     name, stage.epochs - before, next > last ? "rises" : "goes", last, next);
}

void Trainer::broadcast_state() {
  averaging_->broadcast_from_root();
  comm_.broadcast(std::as_writable_bytes(std::span(&state_, 1)), 0);
}

void Trainer::roll_back() {
  const std::string where = fmt::format(
      "Training diverged in stage {}, epoch {}, step {}: the loss or the gradient is "
      "not finite",
      current_stage().name, state_.progress.epoch, state_.progress.step + 1);
  if (comm_.is_root()) session_->wait();
  if (control_.on_divergence == OnDivergence::kStop || state_.divergences >= kMostDivergences) {
    throw DivergedError(fmt::format(
        "{}. The last good checkpoint is kept; try a lower learning rate, more warm-up, or "
        "--on-divergence reduce.",
        where));
  }
  ++state_.divergences;
  if (comm_.is_root()) {
    session_->roll_back([this] { restart(); });
    observer_.warning(fmt::format("{}; going back to step {} with the learning rate times {}.",
                                  where, state_.progress.step, rate_factor()));
    observer_.rewound(state_.progress.step, session_->history);
    report_warnings();
  }
  broadcast_state();
}

void Trainer::save_and_wait(CheckpointStore::Files files) {
  if (comm_.is_root()) {
    const PhaseScope scope(control_.heartbeat, Phase::kFile);
    session_->wait();
    report_saves();
    session_->save_now(files);
    report_saves();
  }
  comm_.barrier();
}

void Trainer::report_warnings() {
  for (const std::string& warning : std::exchange(session_->warnings, {})) {
    observer_.warning(warning);
  }
}

void Trainer::report_saves() {
  for (const Index step : session_->take_saved()) observer_.checkpoint_saved(step);
  for (const std::string& failure : session_->take_failures()) {
    observer_.warning(fmt::format("{} Training goes on; older checkpoints stay.", failure));
  }
}

}  // namespace sae
