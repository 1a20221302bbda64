#include "sae/monitor/observer_list.hpp"

#include <fmt/format.h>

#include <exception>

#include "sae/run/run_generation.hpp"

namespace sae {

template <typename Call>
void ObserverList::call_each(const Call& call) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    try {
      call(*entry.observer);
    } catch (const SupersededError&) {
      throw;
    } catch (const std::exception& error) {
      if (entry.consequence.empty()) throw;
      if (std::exchange(entry.warned, true)) continue;
      warning(fmt::format("{} {}", error.what(), entry.consequence));
    }
  }
}

void ObserverList::run_begins(const RunSummary& summary) {
  const std::lock_guard lock(mutex_);
  begins_ = true;
  call_each([&](TrainingObserver& observer) { observer.run_begins(summary); });
  begins_ = false;
  for (const std::string& sentence : std::exchange(warnings_, {})) warning(sentence);
}

void ObserverList::step_done(const StepReport& report) {
  call_each([&](TrainingObserver& observer) { observer.step_done(report); });
}

void ObserverList::epoch_done(const EpochReport& report) {
  call_each([&](TrainingObserver& observer) { observer.epoch_done(report); });
}

void ObserverList::checkpoint_begins() {
  call_each([](TrainingObserver& observer) { observer.checkpoint_begins(); });
}

void ObserverList::checkpoint_saved(Index step) {
  call_each([&](TrainingObserver& observer) { observer.checkpoint_saved(step); });
}

void ObserverList::warning(const std::string& sentence) {
  const std::lock_guard lock(mutex_);
  if (begins_) return warnings_.push_back(sentence);
  call_each([&](TrainingObserver& observer) { observer.warning(sentence); });
}

void ObserverList::rewound(Index step, const std::string& history) {
  call_each([&](TrainingObserver& observer) { observer.rewound(step, history); });
}

void ObserverList::run_done(const RunResult& result) {
  call_each([&](TrainingObserver& observer) { observer.run_done(result); });
}

void ObserverList::run_failed(ExitCode code, const std::string& sentence) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  for (Entry& entry : entries_) {
    try {
      entry.observer->run_failed(code, sentence);
    } catch (const std::exception&) {  // The failure that is reported counts.
    }
  }
}

}  // namespace sae
