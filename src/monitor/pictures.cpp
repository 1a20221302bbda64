#include "sae/monitor/pictures.hpp"

#include <algorithm>
#include <cmath>

#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

constexpr Index kColumns = 10;
constexpr Index kMostPixels = 65536;
constexpr std::uint8_t kBetween = 128;

}  // namespace

std::optional<PictureShape> picture_shape(const DatasetInfo& info) {
  if (info.features > kMostPixels) return std::nullopt;
  if (info.height > 0) return PictureShape{info.height, info.width};
  const auto side = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(info.features))));
  return PictureShape{(info.features + side - 1) / side, side};
}

GreyPicture tile(const ConstMatrixRef<float>& images, const PictureShape& shape, Index columns) {
  columns = std::clamp<Index>(images.cols(), 1, columns);
  const Index rows = std::max<Index>((images.cols() + columns - 1) / columns, 1);
  GreyPicture picture;
  picture.width = columns * (shape.width + 1) - 1;
  picture.height = rows * (shape.height + 1) - 1;
  picture.pixels.assign(static_cast<std::size_t>(picture.width * picture.height), kBetween);
  for (Index image = 0; image < images.cols(); ++image) {
    const Index top = image / columns * (shape.height + 1);
    const Index left = image % columns * (shape.width + 1);
    for (Index pixel = 0; pixel < images.rows(); ++pixel) {
      const Index row = top + pixel / shape.width;
      const Index column = left + pixel % shape.width;
      const float value = std::clamp(images(pixel, image), 0.0f, 1.0f);
      picture.pixels[static_cast<std::size_t>(row * picture.width + column)] =
          static_cast<std::uint8_t>(std::lround(255 * value));
    }
  }
  return picture;
}

GreyPicture filters_picture(const ParameterLayout& layout, std::span<const float> parameters,
                            Index layer, const PictureShape& shape) {
  const auto weights = [&](Index of) { return view_of(parameters, layout.hidden(of).weights); };
  const Index count = std::min(weights(layer).rows(), kMostFilters);
  Matrix<float> filters = weights(layer).topRows(count).transpose();  // (inputs, filters)
  for (Index below = layer - 1; below >= 0; --below) {
    Matrix<float> projected(weights(below).cols(), count);
    multiply_transposed<float>(weights(below), filters, projected);
    filters.swap(projected);
  }
  for (auto filter : filters.colwise()) {
    const float largest = filter.cwiseAbs().maxCoeff();
    const float scale = largest > 0 ? 0.5f / largest : 0.0f;
    filter = filter.array() * scale + 0.5f;
  }
  return tile(filters, shape, kColumns);
}

GreyPicture rows_picture(const std::vector<ConstMatrixRef<float>>& kinds,
                         const PictureShape& shape) {
  const Index count = kinds[0].cols();
  const Index columns = std::clamp<Index>(count, 1, kColumns);
  // Rows of one kind are filled up, so that the next begins on the left.
  const Index groups = (count + columns - 1) / columns;
  const auto rows = static_cast<Index>(kinds.size());
  Matrix<float> images =
      Matrix<float>::Constant(kinds[0].rows(), rows * groups * columns, kBetween / 255.0f);
  for (Index sample = 0; sample < count; ++sample) {
    const Index first = sample / columns * rows * columns + sample % columns;
    for (Index row = 0; row < rows; ++row) {
      images.col(first + row * columns) = kinds[static_cast<std::size_t>(row)].col(sample);
    }
  }
  return tile(images, shape, columns);
}

GreyPicture reconstructions_picture(const Reconstructions& samples, const PictureShape& shape) {
  return rows_picture({samples.inputs, samples.corrupted, samples.reconstructed}, shape);
}

}  // namespace sae
