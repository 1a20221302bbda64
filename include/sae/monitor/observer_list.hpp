#pragma once

#include <memory>
#include <vector>

#include "sae/train/observer.hpp"

namespace sae {

/// Tells each of its observers, in order.
class ObserverList final : public TrainingObserver {
 public:
  void add(std::unique_ptr<TrainingObserver> observer) {
    observers_.push_back(std::move(observer));
  }
  void run_begins(const RunSummary& summary) override {
    for (auto& observer : observers_) observer->run_begins(summary);
  }
  void step_done(const StepReport& report) override {
    for (auto& observer : observers_) observer->step_done(report);
  }
  void epoch_done(const EpochReport& report) override {
    for (auto& observer : observers_) observer->epoch_done(report);
  }
  void checkpoint_begins() override {
    for (auto& observer : observers_) observer->checkpoint_begins();
  }
  void checkpoint_saved(Index step) override {
    for (auto& observer : observers_) observer->checkpoint_saved(step);
  }
  void warning(const std::string& sentence) override {
    for (auto& observer : observers_) observer->warning(sentence);
  }
  void rewound(Index step, const std::string& history) override {
    for (auto& observer : observers_) observer->rewound(step, history);
  }
  void run_done(const RunResult& result) override {
    for (auto& observer : observers_) observer->run_done(result);
  }

 private:
  std::vector<std::unique_ptr<TrainingObserver>> observers_;
};

}  // namespace sae
