#include "sae/monitor/picture_files.hpp"

#include "png.hpp"

namespace sae {
namespace {

constexpr std::chrono::seconds kWriteEvery{5};

}  // namespace

void PictureFiles::epoch_done(const EpochReport& report) {
  const auto now = std::chrono::steady_clock::now();
  if (!pictures_.can_show() || (report.epoch < report.epochs && now - written_ < kWriteEvery)) {
    return;
  }
  written_ = now;
  for (const Index layer : pictures_.trained_layers()) {
    write_png(folder_.filters(layer), pictures_.filters(layer).png, check_generation_);
  }
  if (!pictures_.pretrains() || !pictures_.has_samples()) return;
  const GreyPicture rows =
      reconstructions_picture(pictures_.reconstructions(pictures_.layer()), pictures_.shape());
  write_png(folder_.reconstructions(), encode_png(rows), check_generation_);
}

}  // namespace sae
