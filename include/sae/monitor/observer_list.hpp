#pragma once

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
  /// If the observer fails, training goes on: the first failure is a warning that ends with
  /// `consequence`. If that is empty the failure ends the training, as a SupersededError always
  /// does.
  template <typename Observer>
  Observer& add(std::unique_ptr<Observer> observer, std::string consequence = {}) {
    Observer& result = *observer;
    entries_.push_back({std::move(observer), std::move(consequence)});
    return result;
  }

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport& report) override;
  void epoch_done(const EpochReport& report) override;
  void checkpoint_begins() override;
  void checkpoint_saved(Index step) override;
  /// Later, if not all know of the run yet.
  void warning(const std::string& sentence) override;
  void rewound(Index step, const std::string& history) override;
  void run_done(const RunResult& result) override;
  /// Each is told, whatever another throws; none if a call is under way that may never end.
  void run_failed(ExitCode code, const std::string& sentence) override;

 private:
  struct Entry {
    std::unique_ptr<TrainingObserver> observer;
    std::string consequence;
    bool warned = false;
  };
  template <typename Call>
  void call_each(const Call& call);

  std::recursive_mutex mutex_;  // An observer that fails makes the list warn.
  std::vector<Entry> entries_;
  bool begins_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace sae
