// What a run saves.
#include <fmt/format.h>

#include "sae/core/error.hpp"
#include "sae/train/trainer.hpp"

namespace sae {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

void Trainer::copy_for_save() {
  const PhaseScope scope(control_.heartbeat, Phase::kFile);
  copy_run(store_->buffer());
  last_save_ = Clock::now();
  overdue_ = false;
  observer_.checkpoint_begins();
}

void Trainer::check_saved() {
  const auto failures = store_->take_failures();
  if (!failures.empty()) throw OutputError(fmt::format("{}", fmt::join(failures, " ")));
}

void Trainer::save_if_due(bool epoch_ended) {
  if (!comm_.is_root()) return;
  const CheckpointInterval& every = control_.checkpoint_every;
  bool due = overdue_;
  if (every.steps > 0) {
    due |= state_.progress.step % every.steps == 0;
  } else if (every.epochs > 0) {
    due |= epoch_ended && state_.progress.epoch % every.epochs == 0;
  } else if (every.seconds > 0) {
    due |= std::chrono::duration<double>(Clock::now() - last_save_).count() >= every.seconds;
  }
  const bool stage_ended = epoch_ended && current_stage().epochs == state_.progress.epoch;
  // The best of an epoch has just been saved.
  const bool saved = state_.best && state_.best->step == state_.progress.step && epoch_ended;
  if (saved || (!due && !stage_ended)) return;
  // Ranks do not wait for a slow file system: what is due is saved once the last is written. What
  // takes no longer than this is waited for, so that each that was asked for is there.
  const double patience = overdue_ ? 0 : control_.checkpoint_patience;
  overdue_ = !stage_ended && !store_->wait_for_idle(patience);
  if (overdue_) return;
  copy_for_save();
  store_->save({.checkpoint = true});
}

void Trainer::save_and_wait(CheckpointStore::Files files) {
  if (comm_.is_root()) {
    const PhaseScope scope(control_.heartbeat, Phase::kFile);
    store_->wait_until_idle();
    tell_of_saves();
    // What ends with success leaves the best model, whatever has become of its file.
    if (files.model && state_.best && !best_in(folder_.best())) store_->change_best();
    copy_for_save();
    store_->save_now(files);
    check_saved();
    tell_of_saves();
  }
  comm_.barrier();
}

void Trainer::tell_warnings() {
  for (const std::string& warning : std::exchange(warnings_, {})) observer_.warning(warning);
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
