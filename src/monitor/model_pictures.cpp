#include "sae/monitor/model_pictures.hpp"

#include <algorithm>
#include <numeric>

#include "png.hpp"
#include "sae/train/metrics.hpp"

namespace sae {

void ModelPictures::run_begins(const RunSummary& summary) {
  summary_ = summary;
  layout_.emplace(summary.topology);
  if (summary.shows_pixels) shape_ = picture_shape(summary.dataset);
  rewound(summary.step, summary.history);
}

void ModelPictures::epoch_done(const EpochReport& report) {
  model_is_of(report.stage, report.epoch);
}

void ModelPictures::rewound(Index, const std::string& history) {
  const auto end = history.find_last_not_of('\n');
  const auto begin = history.rfind('\n', end) + 1;
  const auto last = parse_metrics_line(history.substr(begin, end - begin + 1));
  model_is_of(last ? last->stage : "", last ? last->epoch : 0);
}

void ModelPictures::model_is_of(const std::string& stage, Index epoch) {
  filters_.clear();
  reconstructions_.clear();
  stage_ = stage;
  epoch_ = epoch;
  const auto found = std::ranges::find(summary_.stages, stage, &StageSummary::name);
  layer_ = std::min<Index>(found - summary_.stages.begin(), topology().hidden_layers());
}

std::vector<Index> ModelPictures::trained_layers() const {
  if (pretrains()) return {layer_};
  std::vector<Index> all(static_cast<std::size_t>(topology().hidden_layers()));
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

const ModelPictures::Picture& ModelPictures::filters(Index layer) {
  const auto [found, is_new] = filters_.try_emplace(layer);
  if (is_new) {
    found->second.grey = filters_picture(*layout_, summary_.live_parameters, layer, *shape_);
    found->second.png = encode_png(found->second.grey);
  }
  return found->second;
}

const Reconstructions& ModelPictures::reconstructions(Index layer) {
  const auto [found, is_new] = reconstructions_.try_emplace(layer);
  if (is_new) {
    found->second = reconstruct(*layout_, {summary_.live_parameters, {}}, pretraining(layer),
                                summary_.preview, static_cast<std::uint32_t>(epoch_));
  }
  return found->second;
}

}  // namespace sae
