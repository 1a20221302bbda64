#include "sae/run/run_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "sae/config/settings.hpp"
#include "sae/core/error.hpp"
#include "sae/model/finished_model.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {
namespace {

using Clock = std::chrono::steady_clock;

/// Compiles to memcpy, which bypasses the caches for large vectors; they hold the weights.
void copy_into(Vector<float>& to, std::span<const float> from) {
  to.resize(static_cast<Index>(from.size()));
  std::copy(from.begin(), from.end(), to.data());
}

void copy_into(std::span<float> to, const Vector<float>& from) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

RunSession::RunSession(SessionSettings settings)
    : settings_(std::move(settings)), folder_(settings_.folder) {}

std::optional<Configuration> RunSession::find_checkpoint() {
  newest_ = newest_checkpoint_name(folder_);
  found_ = find();
  if (found_) return recorded_configuration(found_->checkpoint.config);
  if (!settings_.initial_model.empty()) initial_ = load_checkpoint(settings_.initial_model);
  return std::nullopt;
}

Scaling RunSession::found_scaling() const {
  if (found_) return found_->checkpoint.data.scaling;
  return initial_ ? initial_->data.scaling : Scaling{};
}

std::optional<FoundCheckpoint> RunSession::find() const {
  switch (settings_.resume) {
    case Resume::kNever:
      if (!folder_.holds_run()) return std::nullopt;
      throw OutputError(fmt::format(
          "The run folder {} already holds a run; resume it with --resume auto, or choose "
          "another folder with --run.",
          folder_.path().string()));
    case Resume::kFile:
      return FoundCheckpoint{settings_.resume_file, load_checkpoint(settings_.resume_file), {}};
    case Resume::kAuto:
    case Resume::kRequired:
      break;
  }
  auto found = find_newest_checkpoint(folder_);
  if (!found && settings_.resume == Resume::kRequired) {
    throw MissingInputError(
        fmt::format("There is no checkpoint to resume in {}.", folder_.checkpoints().string()));
  }
  return found;
}

void RunSession::start(RunIdentity identity, LiveRun live, std::function<void()> on_save) {
  identity_ = std::move(identity);
  live_.emplace(live);
  on_save_ = std::move(on_save);
  load(std::exchange(found_, std::nullopt));
  // Last: a session that cannot resume must not take the folder from one that is running.
  folder_.create();
  generation_ = RunGeneration::take(folder_);
  const bool newest_wanted =
      settings_.resume == Resume::kAuto || settings_.resume == Resume::kRequired;
  // An older session may have saved since find_checkpoint(); from here on it cannot.
  if (newest_wanted && newest_checkpoint_name(folder_) != newest_) load(find());
  folder_.remove_temporary_files();
  write_text_file(folder_.config(), to_text(identity_.configuration), generation_->checker());
  store_ = std::make_unique<CheckpointStore>(folder_, *generation_, settings_.keep_checkpoints);
  std::error_code ignored;
  clear_folder(settings_.resume == Resume::kFile &&
               !std::filesystem::equivalent(
                   settings_.resume_file, folder_.checkpoint(live_->state.progress.step), ignored));
}

void RunSession::load(std::optional<FoundCheckpoint> found) {
  if (!found) return;
  Checkpoint& c = found->checkpoint;
  const std::string path = found->path.string();
  const std::string data = identity_.configuration.data.string();
  // First: other settings may select other samples.
  recorded_ = recorded_configuration(c.config);
  check_resumable(*recorded_, identity_.configuration, c.state.progress.stage);
  if (c.dataset != identity_.dataset) {
    throw DataError(
        fmt::format("The checkpoint {} was trained on another data set ({}) than {} ({}).", path,
                    c.dataset, data, identity_.dataset));
  }
  if (c.state.data_digest.value_or(identity_.data_digest) != identity_.data_digest) {
    throw DataError(fmt::format(
        "The checkpoint {} was trained on other samples or labels, or in another order, "
        "than {} holds now.",
        path, data));
  }
  if (c.topology != identity_.topology ||
      !std::ranges::equal(c.slots, live_->slots, {}, &Checkpoint::Slot::name,
                          &OptimizerSlot::name)) {
    throw DataError(
        fmt::format("The checkpoint {} is of {} with {}, which does not match its "
                    "settings.",
                    path, to_string(c.topology), describe_slots(c)));
  }
  notes = std::move(found->skipped);
  notes.push_back(fmt::format("resumed from {}: stage {}, epoch {}, step {}", path, c.stage_name(),
                              c.state.progress.epoch, c.state.progress.step));
  copy_into(live_->parameters, c.parameters);
  for (std::size_t i = 0; i < c.slots.size(); ++i) {
    copy_into(live_->slots[i].values, c.slots[i].values);
  }
  c.state.divergences = std::max(live_->state.divergences, c.state.divergences);
  live_->state = c.state;
  live_->state.progress.finished = false;
  live_->state.data_digest = identity_.data_digest;
  history = std::move(c.history);
}

void RunSession::clear_folder(bool from_elsewhere) {
  const std::filesystem::path& file = settings_.resume_file;
  std::function<void()> write_first;
  if (from_elsewhere) {
    write_first = [this] {
      copy_run();
      store_->save_now({.checkpoint = true});
      throw_failures();
    };
  }
  auto moved = set_aside(folder_, *generation_, live_->state.progress.step, write_first);
  if (!moved.empty()) {
    std::vector<std::string> names;
    names.reserve(moved.size());
    for (const auto& path : moved) names.push_back(path.filename());
    notes.push_back(fmt::format("set aside in {}: {}", moved[0].parent_path().string(),
                                fmt::join(names, ", ")));
  }
  store_->change_best(true);  // Cancels a write that was due before a divergence.
  if (!live_->state.best) return;
  std::vector<std::filesystem::path> candidates = std::move(moved);
  candidates.push_back(folder_.checkpoint(live_->state.best->step));
  candidates.push_back(file.parent_path() / candidates.back().filename());
  candidates.push_back(file.parent_path().parent_path() / folder_.best().filename());
  recover_best(candidates);
}

void RunSession::recover_best(const std::vector<std::filesystem::path>& candidates) {
  RunState& state = live_->state;
  auto found = best_in(folder_.best());
  const bool is_written = found.has_value();
  if (!found && state.best->step == state.progress.step) copy_finished(found.emplace());
  for (auto candidate = candidates.begin(); !found && candidate != candidates.end(); ++candidate) {
    found = best_in(*candidate);
  }
  if (!found) {
    warnings.push_back(fmt::format(
        "The best model, of step {}, is neither in {} nor in a checkpoint that is there: the best "
        "epoch is looked for anew.",
        state.best->step, folder_.best().string()));
    state.best.reset();
    return;
  }
  store_->change_best(is_written) = std::move(*found);
  if (is_written) return;
  notes.push_back(fmt::format("{}, which is not there or not of the best epoch, is written anew",
                              folder_.best().string()));
  store_->save({});
}

std::optional<Checkpoint> RunSession::best_in(const std::filesystem::path& path) const {
  try {
    Checkpoint c = load_checkpoint(path);
    check_resumable(recorded_configuration(c.config), identity_.configuration,
                    c.state.progress.stage);
    const auto& best = live_->state.best;
    if (c.state.progress.step != best->step || c.state.best != best ||
        c.state.data_digest.value_or(identity_.data_digest) != identity_.data_digest ||
        finished(c.topology) != finished(identity_.topology) || c.dataset != identity_.dataset) {
      return std::nullopt;
    }
    finish(c);
    c.history.clear();
    c.state.progress.finished = false;
    return c;
  } catch (const Error&) {  // Missing or unusable.
    return std::nullopt;
  }
}

void RunSession::roll_back(const std::function<void()>& restart) {
  auto found = find_newest_checkpoint(folder_);
  if (!found) restart();
  const bool damaged = found && !found->skipped.empty();
  load(std::move(found));
  clear_folder(false);
  if (damaged) warnings.insert(warnings.end(), notes.begin(), notes.end());
}

void RunSession::copy_model(Checkpoint& copy) const {
  copy.topology = identity_.topology;
  copy.data = identity_.data;
  copy_into(copy.parameters, live_->parameters);
  copy.state = live_->state;
  copy.seed = identity_.configuration.seed;
  copy.dataset = identity_.dataset;
  copy.config = to_text(identity_.configuration);
}

void RunSession::copy_finished(Checkpoint& copy) const {
  copy_model(copy);
  for (const OptimizerSlot& slot : live_->slots) {
    if (slot.name == kAverageSlot)
      copy_into(copy.slots.emplace_back(Checkpoint::Slot{slot.name, {}}).values, slot.values);
  }
  finish(copy);
}

void RunSession::copy_run() {
  Checkpoint& copy = store_->buffer();
  copy_model(copy);
  copy.slots.resize(live_->slots.size());
  for (std::size_t i = 0; i < copy.slots.size(); ++i) {
    copy.slots[i].name = live_->slots[i].name;
    copy_into(copy.slots[i].values, live_->slots[i].values);
  }
  copy.history = history;
}

void RunSession::copy_for_save() {
  copy_run();
  last_save_ = Clock::now();
  overdue_ = false;
  on_save_();
}

void RunSession::save_if_due(bool epoch_ended, bool stage_ended) {
  const CheckpointInterval& every = settings_.checkpoint_every;
  const RunState& state = live_->state;
  bool due = overdue_;
  if (every.steps > 0) {
    due |= state.progress.step % every.steps == 0;
  } else if (every.epochs > 0) {
    due |= epoch_ended && state.progress.epoch % every.epochs == 0;
  } else if (every.seconds > 0) {
    due |= std::chrono::duration<double>(Clock::now() - last_save_).count() >= every.seconds;
  }
  // save_best() has just saved this step.
  const bool saved = state.best && state.best->step == state.progress.step && epoch_ended;
  if (saved || (!due && !stage_ended)) return;
  // Do not let ranks wait for a slow file system: save a due checkpoint once the previous one is
  // written. Wait up to `patience` first, so that on a fast one no checkpoint is skipped.
  const double patience = overdue_ ? 0 : settings_.checkpoint_patience;
  overdue_ = !stage_ended && !store_->wait_for_idle(patience);
  if (overdue_) return;
  copy_for_save();
  store_->save({.checkpoint = true});
}

void RunSession::save_best() {
  copy_finished(store_->change_best());
  copy_for_save();
  store_->save({.checkpoint = true});
}

void RunSession::save_pretrained() {
  copy_model(store_->change_pretrained());
  store_->save({});
}

void RunSession::save_now(CheckpointStore::Files files) {
  // A finished run must leave a valid best.h5, whatever happened to the file.
  if (files.model && live_->state.best && !best_in(folder_.best())) store_->change_best();
  copy_for_save();
  if (files.model) copy_finished(store_->change_model());
  store_->save_now(files);
  throw_failures();
}

double RunSession::seconds_to_save() const {
  // Before the first save, assume a slow file system.
  constexpr double kSlowBytesPerSecond = 20e6;
  const auto floats = static_cast<double>(live_->parameters.size() * (1 + live_->slots.size()));
  const double save = store_->longest_save().value_or(4 * floats / kSlowBytesPerSecond);
  return (store_->idle() ? 1 : 2) * save;
}

std::vector<std::string> RunSession::take_failures() {
  auto failures = store_->take_failures();
  if (!failures.empty()) generation_->check();
  return failures;
}

void RunSession::throw_failures() {
  const auto failures = store_->take_failures();
  if (!failures.empty()) throw OutputError(fmt::format("{}", fmt::join(failures, " ")));
}

}  // namespace sae
