#pragma once

#include <chrono>
#include <functional>

#include "sae/monitor/model_pictures.hpp"
#include "sae/run/run_folder.hpp"

namespace sae {

/// Writes PNG pictures into the run's folder: the filters of the layers that a stage trains, and
/// samples reconstructed by the layer that was pretrained last. Every few seconds, and at the end
/// of each stage; nothing for samples too large to show. Throws: OutputError, SupersededError.
class PictureFiles final : public TrainingObserver {
 public:
  /// Requires: `pictures` observes the run, before this does.
  PictureFiles(RunFolder folder, ModelPictures& pictures)
      : folder_(std::move(folder)), pictures_(pictures) {}

  void run_begins(const RunSummary& summary) override {
    check_generation_ = summary.check_generation;
  }
  void epoch_done(const EpochReport& report) override;

 private:
  RunFolder folder_;
  ModelPictures& pictures_;
  std::function<void()> check_generation_;
  std::chrono::steady_clock::time_point written_;
};

}  // namespace sae
