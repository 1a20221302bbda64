// What the trainer saves and loads.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "resume.hpp"
#include "sae/core/error.hpp"
#include "sae/model/stacked_autoencoder.hpp"
#include "sae/storage/atomic_file.hpp"
#include "sae/train/trainer.hpp"

namespace sae {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kMostDivergences = 3;

/// The data set on one line: what must be the same to go on.
std::string describe(const DatasetInfo& info) {
  return fmt::format("{}: {} + {} samples of {} {} pixels, {} classes", info.name, info.train_count,
                     info.test_count, info.features,
                     info.pixel_type == PixelType::kUint8 ? "uint8" : "float32", info.classes);
}

/// Refuses a data set that cannot serve the configuration.
void check_dataset(const Configuration& configuration, const DatasetInfo& info) {
  const std::string data = configuration.data.string();
  if (!info.has_train_labels) {
    throw DataError(
        fmt::format("The data set {} has no /train/labels to train a classifier with.", data));
  }
  if (info.train_count > Index{0xffffffff}) {
    throw DataError(
        fmt::format("The data set {} has {} training samples; at most 2^32 - 1 can be "
                    "told apart by the random numbers.",
                    data, info.train_count));
  }
  if (configuration.validation_size >= info.train_count) {
    throw DataError(fmt::format(
        "A validation set of {} samples (--validation-size) leaves nothing to train on: {} has {} "
        "training samples.",
        configuration.validation_size, data, info.train_count));
  }
}

/// By memcpy, which goes past the caches where they are too small: they hold the weights.
void copy_into(Vector<float>& to, std::span<const float> from) {
  to.resize(static_cast<Index>(from.size()));
  std::copy(from.begin(), from.end(), to.data());
}

void copy_into(std::span<float> to, const Vector<float>& from) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

Trainer::Trainer(const Configuration& configuration, const RunControl& control,
                 DistributedDataset& dataset, Communicator& comm, TrainingObserver& observer)
    : configuration_(configuration),
      control_(control),
      dataset_(dataset),
      comm_(comm),
      observer_(observer),
      folder_(configuration.run),
      layout_(topology_for(configuration, dataset.info())),
      stages_(plan_stages(configuration, layout_)),
      reproducible_sum_(comm),
      training_(dataset.record_format(), 0, {}),
      validation_(training_),
      test_(training_) {
  const PhaseScope scope(control.heartbeat, Phase::kFile);
  const DatasetInfo& info = dataset.info();
  // On rank 0, before the others wait for data: one message, not one a rank.
  if (comm.is_root()) check_dataset(configuration, info);
  comm.barrier();
  const Index validation_size = configuration.validation_size;
  training_ = dataset.load_shard(Split::kTrain, {validation_size, info.train_count});
  validation_ = dataset.load_shard(Split::kTrain, {0, validation_size});
  test_ = dataset.load_shard(Split::kTest, {0, info.has_test_labels ? info.test_count : 0});
  averaging_ =
      GradientAveraging::make(layout_, averaging_settings(configuration), comm, control.heartbeat);
  restart();
  // Once all ranks have read theirs, so that unsuitable data leave nothing behind.
  comm.barrier();
  if (comm.is_root()) begin();
  codes_ = decide_code_caching(configuration, training_.set_size(), codes_as_begun_, comm);
  if (comm.is_root()) open_folder();
  share_state();
}

Trainer::~Trainer() = default;

void Trainer::restart() {
  if (comm_.is_root()) {
    Vector<float> initial;
    initialize_parameters(layout_, configuration_.seed, initial, configuration_.initial_scale);
    copy_into(averaging_->parameters(), initial);
    averaging_->reset_velocity();
  }
  state_ = {.divergences = state_.divergences};
  history_.clear();
}

void Trainer::begin() {
  const bool newest_wanted =
      control_.resume == Resume::kAuto || control_.resume == Resume::kRequired;
  const auto newest = newest_checkpoint_name(folder_);
  if (control_.resume == Resume::kNever) {
    if (folder_.holds_run()) {
      throw OutputError(
          fmt::format("The run folder {} already holds a run; go on with it by "
                      "--resume auto, or choose another with --run.",
                      folder_.path().string()));
    }
  } else if (control_.resume == Resume::kFile) {
    load(FoundCheckpoint{control_.resume_file, load_checkpoint(control_.resume_file), {}});
  } else {
    load_newest();
  }
  // Last, so that a session which cannot go on takes the folder from none that does.
  folder_.create();
  generation_ = RunGeneration::take(folder_);
  // An older session may have saved since we looked; from here on it cannot.
  if (newest_wanted && newest_checkpoint_name(folder_) != newest) load_newest();
  folder_.remove_temporary_files();
}

void Trainer::open_folder() {
  write_text_file(folder_.config(), text_with_decision(configuration_.text, codes_),
                  generation_->checker());
  store_ = std::make_unique<CheckpointStore>(folder_, *generation_, control_.keep_checkpoints);
}

void Trainer::load_newest() {
  auto found = find_newest_checkpoint(folder_);
  if (!found && control_.resume == Resume::kRequired) {
    throw MissingInputError(
        fmt::format("There is no checkpoint to resume in {}.", folder_.checkpoints().string()));
  }
  load(std::move(found));
}

void Trainer::load(std::optional<FoundCheckpoint> found) {
  if (!found) return;
  Checkpoint& c = found->checkpoint;
  const std::string path = found->path.string();
  if (const std::string dataset = describe(dataset_.info()); c.dataset != dataset) {
    throw DataError(
        fmt::format("The checkpoint {} was trained on another data set ({}) than {} "
                    "({}).",
                    path, c.dataset, configuration_.data.string(), dataset));
  }
  check_resumable(c, configuration_.text);
  if (c.topology != layout_.topology() ||
      static_cast<std::size_t>(c.velocity.size()) != averaging_->velocity().size()) {
    throw DataError(fmt::format("The checkpoint {} is of {}{}, which does not match its settings.",
                                path, to_string(c.topology),
                                c.velocity.size() == 0 ? " without momentum" : ""));
  }
  notes_ = std::move(found->passed_over);
  notes_.push_back(fmt::format("resumed from {}: stage {}, epoch {}, step {}", path, c.stage_name(),
                               c.state.progress.epoch, c.state.progress.step));
  copy_into(averaging_->parameters(), c.parameters);
  copy_into(averaging_->velocity(), c.velocity);
  codes_as_begun_ = says_codes_are_kept(c.config);
  c.state.divergences = std::max(state_.divergences, c.state.divergences);
  state_ = c.state;
  state_.progress.finished = false;
  history_ = std::move(c.history);
  if (!state_.best) return;
  if (state_.best->step == state_.progress.step) {
    best_parameters_ = std::move(c.parameters);
    return;
  }
  try {
    Checkpoint best = load_checkpoint(folder_.best());
    if (best.topology == layout_.topology()) best_parameters_ = std::move(best.parameters);
  } catch (const Error& error) {
    notes_.push_back(fmt::format("{} The best model is looked for anew.", error.what()));
  }
  if (best_parameters_.size() != layout_.size()) state_.best.reset();
}

void Trainer::share_state() {
  averaging_->share_from_root();
  comm_.broadcast(std::as_writable_bytes(std::span(&state_, 1)), 0);
}

void Trainer::roll_back() {
  const std::string where = fmt::format(
      "Training diverged in stage {}, epoch {}, step {}: the loss or the gradient is "
      "not finite",
      current_stage().name, state_.progress.epoch, state_.progress.step + 1);
  if (comm_.is_root()) store_->wait_until_idle();
  if (control_.on_divergence == OnDivergence::kStop || state_.divergences >= kMostDivergences) {
    throw DivergedError(fmt::format(
        "{}. The last good checkpoint is kept; try a lower learning rate, more warm-up, or "
        "--on-divergence reduce.",
        where));
  }
  ++state_.divergences;
  if (comm_.is_root()) {
    auto found = find_newest_checkpoint(folder_);
    if (!found) restart();
    load(std::move(found));
    observer_.warning(fmt::format("{}; going back to step {} with the learning rate times {}.",
                                  where, state_.progress.step,
                                  std::ldexp(1.0, -static_cast<int>(state_.divergences))));
    observer_.rewound(state_.progress.step, history_);
  }
  share_state();
}

void Trainer::save(bool as_checkpoint, std::optional<std::filesystem::path> also) {
  if (!comm_.is_root()) return;
  const PhaseScope scope(control_.heartbeat, Phase::kFile);
  Checkpoint& copy = store_->buffer();
  const auto start = Clock::now();
  copy.topology = layout_.topology();
  copy_into(copy.parameters, averaging_->parameters());
  copy_into(copy.velocity, averaging_->velocity());
  copy.state = state_;
  copy.history = history_;
  copy.seed = configuration_.seed;
  copy.dataset = describe(dataset_.info());
  copy.config = text_with_decision(configuration_.text, codes_);
  last_save_ = Clock::now();
  save_seconds_ = std::chrono::duration<double>(last_save_ - start).count();
  observer_.checkpoint_begins();
  store_->save(as_checkpoint, std::move(also));
}

void Trainer::save_if_due(bool epoch_ended) {
  if (!comm_.is_root()) return;
  const CheckpointInterval& every = control_.checkpoint_every;
  bool due = false;
  if (every.steps > 0) {
    due = state_.progress.step % every.steps == 0;
  } else if (every.epochs > 0) {
    due = epoch_ended && state_.progress.epoch % every.epochs == 0;
  } else if (every.seconds > 0) {
    due = std::chrono::duration<double>(Clock::now() - last_save_).count() >= every.seconds;
  }
  const bool stage_ended = epoch_ended && current_stage().epochs == state_.progress.epoch;
  // The best of an epoch has just been saved.
  const bool saved = state_.best && state_.best->step == state_.progress.step && epoch_ended;
  if ((due || stage_ended) && !saved) save(true, std::nullopt);
}

void Trainer::save_and_wait(std::optional<std::filesystem::path> also) {
  if (comm_.is_root()) {
    const PhaseScope scope(control_.heartbeat, Phase::kFile);
    store_->wait_until_idle();
    tell_of_saves();
    save(true, std::move(also));
    store_->wait_until_idle();
    const auto failures = store_->take_failures();
    tell_of_saves();
    if (!failures.empty()) throw OutputError(fmt::format("{}", fmt::join(failures, " ")));
  }
  comm_.barrier();
}

void Trainer::tell_of_saves() {
  if (!comm_.is_root()) return;
  for (const Index step : store_->take_saved()) observer_.checkpoint_saved(step);
  const auto failures = store_->take_failures();
  if (!failures.empty()) generation_->check();
  for (const std::string& failure : failures) {
    observer_.warning(fmt::format("{} Training goes on; older checkpoints stay.", failure));
  }
}

}  // namespace sae
