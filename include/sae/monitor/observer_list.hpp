#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sae/train/observer.hpp"

namespace sae {

/// Tells each of its observers, in order. What is called while another thread calls waits for it.
class ObserverList final : public TrainingObserver {
 public:
  void add(std::unique_ptr<TrainingObserver> observer) {
    observers_.push_back(std::move(observer));
  }
  void run_begins(const RunSummary& summary) override {
    const std::lock_guard lock(mutex_);
    begins_ = true;
    tell([&](TrainingObserver& observer) { observer.run_begins(summary); });
    begins_ = false;
    for (const std::string& sentence : std::exchange(warnings_, {})) warning(sentence);
  }
  void step_done(const StepReport& report) override {
    tell([&](TrainingObserver& observer) { observer.step_done(report); });
  }
  void epoch_done(const EpochReport& report) override {
    tell([&](TrainingObserver& observer) { observer.epoch_done(report); });
  }
  void checkpoint_begins() override {
    tell([](TrainingObserver& observer) { observer.checkpoint_begins(); });
  }
  void checkpoint_saved(Index step) override {
    tell([&](TrainingObserver& observer) { observer.checkpoint_saved(step); });
  }
  /// Later, if not all know of the run yet.
  void warning(const std::string& sentence) override {
    if (begins_) return warnings_.push_back(sentence);
    tell([&](TrainingObserver& observer) { observer.warning(sentence); });
  }
  void rewound(Index step, const std::string& history) override {
    tell([&](TrainingObserver& observer) { observer.rewound(step, history); });
  }
  void run_done(const RunResult& result) override {
    tell([&](TrainingObserver& observer) { observer.run_done(result); });
  }
  /// Each is told, whatever another throws; none if a call is under way that may never end.
  void run_failed(ExitCode code, const std::string& sentence) override {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    for (auto& observer : observers_) {
      try {
        observer->run_failed(code, sentence);
      } catch (const std::exception&) {  // The failure that is told counts.
      }
    }
  }

 private:
  template <typename Call>
  void tell(const Call& call) {
    const std::lock_guard lock(mutex_);
    for (auto& observer : observers_) call(*observer);
  }

  std::recursive_mutex mutex_;  // An observer may warn.
  std::vector<std::unique_ptr<TrainingObserver>> observers_;
  bool begins_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace sae
