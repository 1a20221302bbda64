#include "sae/monitor/picture_files.hpp"

#include <fmt/format.h>

#include <utility>

#include "sae/core/error.hpp"
#include "sae/train/stage.hpp"

namespace sae {
namespace {

constexpr std::chrono::seconds kPaintEvery{5};

}  // namespace

void PictureFiles::run_begins(const RunSummary& summary) {
  summary_ = summary;
  layout_.emplace(summary.topology);
  shape_ = picture_shape(summary.dataset);
}

void PictureFiles::epoch_done(const EpochReport& report) {
  const auto now = std::chrono::steady_clock::now();
  if (!shape_ || (report.epoch < report.epochs && now - painted_ < kPaintEvery)) return;
  painted_ = now;
  try {
    paint(report);
  } catch (const SupersededError&) {
    throw;
  } catch (const OutputError& error) {
    if (!std::exchange(warned_, true)) {
      warn_(fmt::format("{} Training goes on without this picture.", error.what()));
    }
  }
}

void PictureFiles::paint(const EpochReport& report) const {
  const Index layers = layout_->topology().hidden_layers();
  for (Index layer = 0; layer < layers; ++layer) {
    const bool pretrained = report.stage == summary_.stages[static_cast<std::size_t>(layer)].name;
    if (!pretrained && report.stage != summary_.stages.back().name) continue;
    write_png(folder_.filters(layer),
              filters_picture(*layout_, summary_.live_parameters, layer, *shape_),
              summary_.check_generation);
    if (!pretrained || summary_.preview.size() == 0) continue;
    write_png(folder_.reconstructions(),
              reconstructions_picture(
                  reconstruct(*layout_, {summary_.live_parameters, {}},
                              denoising_settings(configuration_, layer), summary_.preview,
                              static_cast<std::uint32_t>(report.epoch)),
                  *shape_),
              summary_.check_generation);
  }
}

}  // namespace sae
