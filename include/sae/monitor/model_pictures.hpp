#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sae/monitor/pictures.hpp"
#include "sae/train/observer.hpp"

namespace sae {

/// The pictures of the model that a run trains. Each is made when it is first asked for and kept
/// until the model changes, so that all who show it share it.
class ModelPictures final : public TrainingObserver {
 public:
  struct Picture {
    GreyPicture grey;
    std::string png;  ///< The bytes of its file.
  };

  void run_begins(const RunSummary& summary) override;
  void epoch_done(const EpochReport& report) override;
  void rewound(Index step, const std::string& history) override;

  /// Whether samples are small enough to show; nothing below may be called if they are not.
  bool can_show() const { return shape_.has_value(); }
  const PictureShape& shape() const { return *shape_; }

  // Of the epoch that is done last.
  const std::string& stage() const { return stage_; }  ///< Empty before the first.
  Index epoch() const { return epoch_; }
  /// The hidden layer that the stage pretrains, counted from 0; their number in fine-tuning.
  Index layer() const { return layer_; }
  bool pretrains() const { return layer_ < topology().hidden_layers(); }
  /// Those that the stage trains.
  std::vector<Index> trained_layers() const;

  const Topology& topology() const { return layout_->topology(); }
  const Picture& filters(Index layer);
  const DenoisingSettings& pretraining(Index layer) const {
    return summary_.pretraining[static_cast<std::size_t>(layer)];
  }
  /// Samples and the same distorted; no columns where images are not distorted.
  const Matrix<float>& inputs() const { return summary_.preview.inputs; }
  const Matrix<float>& distorted() const { return summary_.distorted; }
  bool has_samples() const { return summary_.preview.size() > 0 && topology().reconstructs(); }
  /// Samples, corrupted as in the pretraining of a layer, and reconstructed.
  /// Requires: has_samples().
  const Reconstructions& reconstructions(Index layer);

 private:
  void model_is_of(const std::string& stage, Index epoch);

  RunSummary summary_;
  std::optional<ParameterLayout> layout_;
  std::optional<PictureShape> shape_;
  std::string stage_;
  Index epoch_ = 0;
  Index layer_ = 0;
  std::map<Index, Picture> filters_;
  std::map<Index, Reconstructions> reconstructions_;
};

}  // namespace sae
