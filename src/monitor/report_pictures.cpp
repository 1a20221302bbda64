#include "report_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "html.hpp"
#include "png.hpp"
#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr Index kShownSamples = 10;

// Pixels: keep the page small, however large samples are and however many layers there are.
constexpr Index kFilterPixels = 450'000;          // Of all layers.
constexpr Index kReconstructionPixels = 200'000;  // Of all layers.
constexpr Index kHardestPixels = 4096;            // Of one.

ReportPicture picture_of(const GreyPicture& grey, const std::string& png) {
  return {.uri = png_uri(png), .width = grey.width, .height = grey.height};
}

ReportPicture small_picture_of(const GreyPicture& grey, Index most_pixels) {
  const GreyPicture small = shrunk_to_pixels(grey, most_pixels);
  return picture_of(small, encode_png(small));
}

std::string moment(const ModelPictures& pictures) {
  return fmt::format("As of epoch {} of {}.", pictures.epoch(), pictures.stage());
}

ReportPicture filters_of(ModelPictures& pictures, Index layer) {
  const Index most_pixels = kFilterPixels / pictures.topology().hidden_layers();
  const auto& [grey, png] = pictures.filters(layer);
  ReportPicture picture = std::ssize(grey.pixels) <= most_pixels
                              ? picture_of(grey, png)
                              : small_picture_of(grey, most_pixels);
  const Index units = pictures.topology().layer(layer).units;
  const Index shown = std::min<Index>(units, kMostFilters);
  picture.title = fmt::format("Hidden layer {}", layer + 1);
  picture.description = fmt::format(
      "Filters of {} of the {} units of hidden layer {}, {} by {} pixels each: bright where the "
      "unit likes a pixel to be set, dark where it does not",
      shown, grouped(units), layer + 1, pictures.shape().width, pictures.shape().height);
  picture.caption =
      fmt::format("{}{} What the first {} of {} units look for.", moment(pictures),
                  layer == 0 ? "" : " Projected down to pixels.", shown, grouped(units));
  return picture;
}

}  // namespace

ReportPicture reconstruction_picture(ModelPictures& pictures, Index layer) {
  const Reconstructions& all = pictures.reconstructions(layer);
  const Index count = std::min(all.inputs.cols(), kShownSamples);
  const Reconstructions shown{all.inputs.leftCols(count), all.corrupted.leftCols(count),
                              all.reconstructed.leftCols(count)};
  ReportPicture picture =
      small_picture_of(reconstructions_picture(shown, pictures.shape()),
                       kReconstructionPixels / pictures.topology().hidden_layers());
  const DenoisingSettings& settings = pictures.pretraining(layer);
  picture.title = fmt::format("Hidden layer {}", layer + 1);
  picture.description = fmt::format(
      "Three rows of {} images: inputs, the same as hidden layer {} saw them in pretraining with "
      "{}, and rebuilt from its codes",
      count, layer + 1, describe(settings.noise, "inputs"));
  picture.caption = fmt::format(
      "{} {}{}.", moment(pictures),
      describe(settings.noise, layer == 0 || settings.corruption_at == CorruptionAt::kImage
                                   ? "pixels"
                                   : fmt::format("codes of layer {}", layer)),
      layer == 0 ? "" : "; codes are shown as the layers below decode them");
  return picture;
}

namespace {

ReportPicture distorted_picture(const ModelPictures& pictures) {
  const Index count = std::min(pictures.distorted().cols(), kShownSamples);
  ReportPicture picture = small_picture_of(
      rows_picture({pictures.inputs().leftCols(count), pictures.distorted().leftCols(count)},
                   pictures.shape()),
      kReconstructionPixels);
  picture.title = "What the network is shown";
  picture.description =
      fmt::format("Two rows of {} images: as they are, and distorted at random", count);
  picture.caption = "Each update distorts each image anew.";
  return picture;
}

}  // namespace

ReportPictures report_pictures(ModelPictures& pictures, const RunRecord& record) {
  ReportPictures result;
  if (pictures.distorted().cols() > 0) result.distorted = {distorted_picture(pictures)};
  const Index last = std::min(pictures.layer(), pictures.topology().hidden_layers() - 1);
  for (Index layer = 0; layer <= last; ++layer) {
    result.filters.push_back(filters_of(pictures, layer));
    const std::string& stage = record.stages[static_cast<std::size_t>(layer)].name;
    const auto kept = std::ranges::find(record.reconstructions, stage, &ReconstructedEvent::stage);
    if (kept != record.reconstructions.end() && layer != pictures.layer()) {
      result.reconstructions.push_back(kept->picture);
    } else if (pictures.has_samples()) {
      result.reconstructions.push_back(reconstruction_picture(pictures, layer));
    }
  }
  return result;
}

std::vector<ReportPicture> hardest_pictures(const ModelResult& model, const PictureShape& shape) {
  std::vector<ReportPicture> pictures;
  for (const HardSample& hard : model.hardest) {
    if (hard.pixels.empty()) return {};
    const Eigen::Map<const Matrix<float>> pixels(hard.pixels.data(),
                                                 static_cast<Index>(hard.pixels.size()), 1);
    ReportPicture picture = small_picture_of(tile(pixels, shape, 1), kHardestPixels);
    picture.description =
        fmt::format("{} image {}", model.test ? "test" : "validation", hard.sample);
    if (hard.predicted >= 0) {
      picture.description +=
          fmt::format(": its label is {}, the model predicted {}", hard.label, hard.predicted);
    }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace sae
