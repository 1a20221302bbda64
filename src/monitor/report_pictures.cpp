#include "report_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "html.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr Index kShownSamples = 10;

// Pixels: keep the page small, however large samples are and however many layers there are.
constexpr Index kFilterPixels = 450'000;          // Of all layers.
constexpr Index kReconstructionPixels = 200'000;  // Of all layers.
constexpr Index kHardestPixels = 4096;            // Of one.

ReportPicture picture_of(const GreyPicture& grey, Index most_pixels) {
  const GreyPicture small = shrunk_to_pixels(grey, most_pixels);
  ReportPicture picture;
  picture.uri = png_uri(encode_png(small));
  picture.width = small.width;
  picture.height = small.height;
  return picture;
}

std::string moment(const ModelState& model) {
  return fmt::format("As of epoch {} of {}.", model.epoch, model.stage);
}

}  // namespace

Index layer_of(const RunRecord& record, const std::string& stage, Index hidden_layers) {
  const auto found = std::ranges::find(record.stages, stage, &StageSummary::name);
  return std::min<Index>(found - record.stages.begin(), hidden_layers);
}

std::vector<ReportPicture> filter_pictures(const ModelState& model, const PictureShape& shape) {
  const Index last = std::min(model.layer, model.layout.topology().hidden_layers() - 1);
  std::vector<ReportPicture> pictures;
  for (Index layer = 0; layer <= last; ++layer) {
    ReportPicture picture =
        picture_of(filters_picture(model.layout, model.parameters, layer, shape),
                   kFilterPixels / model.layout.topology().hidden_layers());
    const Index units = model.layout.hidden(layer).weights.rows;
    picture.title = fmt::format("Hidden layer {}", layer + 1);
    picture.description = fmt::format(
        "Filters of {} of the {} units of hidden layer {}, {} by {} pixels each: bright where the "
        "unit likes a pixel to be set, dark where it does not",
        std::min<Index>(units, 100), grouped(units), layer + 1, shape.width, shape.height);
    picture.caption = fmt::format("{}{} What the first {} of {} units look for.", moment(model),
                                  layer == 0 ? "" : " Projected down to pixels.",
                                  std::min<Index>(units, 100), grouped(units));
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

ReportPicture reconstruction_picture(const ModelState& model, const DenoisingSettings& settings,
                                     const Minibatch<float>& samples, const PictureShape& shape) {
  const Index count = std::min(samples.size(), kShownSamples);
  Minibatch<float> shown{.inputs = samples.inputs.leftCols(count),
                         .labels = {},
                         .samples = {samples.samples.begin(), samples.samples.begin() + count},
                         .global_size = count};
  const auto rebuilt = reconstruct(model.layout, ParametersRef<float>(model.parameters, {}),
                                   settings, shown, static_cast<std::uint32_t>(model.epoch));
  ReportPicture picture =
      picture_of(reconstructions_picture(rebuilt, shape),
                 kReconstructionPixels / model.layout.topology().hidden_layers());
  picture.title = fmt::format("Hidden layer {}", settings.layer + 1);
  picture.description = fmt::format(
      "Three rows of {} images: inputs, the same as hidden layer {} saw them in pretraining with "
      "{}, and rebuilt from its codes",
      count, settings.layer + 1, describe(settings.noise, "inputs"));
  picture.caption = fmt::format(
      "{} {}{}.", moment(model),
      describe(settings.noise, settings.layer == 0 || settings.corruption_at == CorruptionAt::kImage
                                   ? "pixels"
                                   : fmt::format("codes of layer {}", settings.layer)),
      settings.layer == 0 ? "" : "; codes are shown as the layers below decode them");
  return picture;
}

ReportPictures model_pictures(const RunRecord& record, const ModelState& model,
                              const Minibatch<float>& samples, const PictureShape& shape) {
  ReportPictures pictures;
  pictures.filters = filter_pictures(model, shape);
  const auto layers = static_cast<Index>(std::min(record.pretraining.size(), record.stages.size()));
  for (Index layer = 0; layer < layers && layer <= model.layer; ++layer) {
    const std::string& stage = record.stages[static_cast<std::size_t>(layer)].name;
    const auto kept = std::ranges::find(record.reconstructions, stage,
                                        &std::pair<std::string, ReportPicture>::first);
    if (kept != record.reconstructions.end() && layer != model.layer) {
      pictures.reconstructions.push_back(kept->second);
    } else if (samples.size() > 0) {
      pictures.reconstructions.push_back(reconstruction_picture(
          model, record.pretraining[static_cast<std::size_t>(layer)], samples, shape));
    }
  }
  return pictures;
}

std::vector<ReportPicture> hardest_pictures(const ModelResult& model, const PictureShape& shape) {
  std::vector<ReportPicture> pictures;
  for (const HardSample& hard : model.hardest) {
    if (hard.pixels.empty()) return {};
    const Eigen::Map<const Matrix<float>> pixels(hard.pixels.data(),
                                                 static_cast<Index>(hard.pixels.size()), 1);
    ReportPicture picture = picture_of(tile(pixels, shape, 1), kHardestPixels);
    picture.description =
        fmt::format("{} image {}: its label is {}, the model said {}",
                    model.test ? "test" : "validation", hard.sample, hard.label, hard.predicted);
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace sae
