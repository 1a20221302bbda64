#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "sae/model/parameter_layout.hpp"
#include "sae/monitor/pictures.hpp"
#include "sae/run/run_folder.hpp"
#include "sae/train/observer.hpp"

namespace sae {

/// Paints PNG pictures into the run's folder: the filters of the layers that a stage trains, and
/// samples reconstructed by the layer that was pretrained last. Painted anew every few seconds, and
/// at the end of each stage; nothing for samples too large to show. What cannot be written is left
/// out, and the user is warned once.
class PictureFiles final : public TrainingObserver {
 public:
  using Warn = std::function<void(const std::string& sentence)>;

  /// The configuration must outlive it.
  PictureFiles(RunFolder folder, const Configuration& configuration, Warn warn)
      : folder_(std::move(folder)), configuration_(configuration), warn_(std::move(warn)) {}

  void run_begins(const RunSummary& summary) override;
  void step_done(const StepReport&) override {}
  void epoch_done(const EpochReport& report) override;
  void warning(const std::string&) override {}
  void rewound(Index, const std::string&) override {}
  void run_done(const RunResult&) override {}

 private:
  void paint(const EpochReport& report) const;

  RunFolder folder_;
  const Configuration& configuration_;
  Warn warn_;
  bool warned_ = false;
  RunSummary summary_;
  std::optional<ParameterLayout> layout_;
  std::optional<PictureShape> shape_;
  std::chrono::steady_clock::time_point painted_;
};

}  // namespace sae
