#include "sae/data/distortion.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include "sae/core/random.hpp"

namespace sae {
namespace {

constexpr std::size_t kAffineWords = 6;

/// Uniform within +-limit.
float uniform(std::uint32_t word, double limit) {
  return static_cast<float>(limit * ((word + 0.5) / 2147483648.0 - 1));
}

/// (size, size): row i is a Gaussian around i.
Matrix<float> gaussians(Index size, double sigma) {
  Matrix<float> kernel(size, size);
  for (Index j = 0; j < size; ++j) {
    for (Index i = 0; i < size; ++i) {
      const double distance = static_cast<double>(i - j) / sigma;
      kernel(i, j) = static_cast<float>(std::exp(-distance * distance / 2) /
                                        (sigma * std::sqrt(2 * std::numbers::pi)));
    }
  }
  return kernel;
}

/// From places of the distorted image to those of the original, both from the middle: an affine
/// map.
struct AffineMap {
  float xx = 1, xy = 0, x0 = 0;
  float yx = 0, yy = 1, y0 = 0;
};

AffineMap draw_map(const Distortion& d, std::span<const std::uint32_t> words) {
  const float angle = uniform(words[0], d.rotation * std::numbers::pi / 180);
  const float zoom_x = 1 / (1 + uniform(words[1], d.zoom));
  const float zoom_y = 1 / (1 + uniform(words[2], d.zoom));
  const float shear = uniform(words[3], d.shear);
  const float c = std::cos(angle);
  const float s = std::sin(angle);
  AffineMap map{.xx = zoom_x * (c - shear * s),
                .xy = zoom_x * (s + shear * c),
                .yx = -zoom_y * s,
                .yy = zoom_y * c};
  const float shift_x = uniform(words[4], d.shift);
  const float shift_y = uniform(words[5], d.shift);
  map.x0 = map.xx * shift_x + map.xy * shift_y;
  map.y0 = map.yx * shift_x + map.yy * shift_y;
  return map;
}

/// The value at a place of a non-negative x and y, from the four pixels around it. `padded` has a
/// border of zeros around the image, and rows of `stride`; places outside fall on it.
inline float value_at(const float* padded, std::int32_t stride, float x, float y) {
  const auto left = static_cast<std::int32_t>(x);
  const auto top = static_cast<std::int32_t>(y);
  const float* const corner = padded + (top * stride + left);
  const float right_share = x - static_cast<float>(left);
  const float bottom_share = y - static_cast<float>(top);
  const float above = corner[0] + right_share * (corner[1] - corner[0]);
  const float below = corner[stride] + right_share * (corner[stride + 1] - corner[stride]);
  return above + bottom_share * (below - above);
}

}  // namespace

Distorter::Distorter(const Distortion& distortion, Index height, Index width)
    : distortion_(distortion), height_(height), width_(width) {
  if (distortion.elastic > 0) {
    smooth_rows_ = gaussians(width, distortion.elastic_sigma);
    smooth_columns_ = gaussians(height, distortion.elastic_sigma);
  }
}

Matrix<float> Distorter::preview(std::uint64_t seed, Matrix<float> images) const {
  std::vector<std::uint32_t> samples(static_cast<std::size_t>(images.cols()));
  std::iota(samples.begin(), samples.end(), 0u);
  distort({.seed = seed, .epoch = 1}, samples, images);
  return images;
}

void Distorter::distort(const DistortionKey& key, std::span<const std::uint32_t> samples,
                        Matrix<float>& images) const {
  const Index pixels = height_ * width_;
  const bool elastic = distortion_.elastic > 0;
  const std::size_t words = kAffineWords + (elastic ? static_cast<std::size_t>(2 * pixels) : 0);
  const Index stride = width_ + 3;
#pragma omp parallel
  {
    std::vector<std::uint32_t> drawn(words);
    std::vector<float> padded(static_cast<std::size_t>((height_ + 3) * stride), 0.0f);
    Matrix<float> field_x = Matrix<float>::Zero(width_, height_);
    Matrix<float> field_y = field_x;
    Matrix<float> smoothed(width_, height_);
    const auto smooth = [&](std::span<const std::uint32_t> from, Matrix<float>& field) {
      for (Index i = 0; i < pixels; ++i) {
        field.data()[i] = uniform(from[static_cast<std::size_t>(i)], distortion_.elastic);
      }
      smoothed.noalias() = smooth_rows_ * field;
      field.noalias() = smoothed * smooth_columns_;
    };
#pragma omp for schedule(static)
    for (Index j = 0; j < images.cols(); ++j) {
      fill_with_random_words({.seed = key.seed,
                              .purpose = RandomPurpose::kDistortion,
                              .stage = key.stage,
                              .epoch = key.epoch,
                              .sample = samples[static_cast<std::size_t>(j)]},
                             drawn);
      const AffineMap map = draw_map(distortion_, drawn);
      if (elastic) {
        const auto fields = std::span<const std::uint32_t>(drawn).subspan(kAffineWords);
        smooth(fields.first(static_cast<std::size_t>(pixels)), field_x);
        smooth(fields.subspan(static_cast<std::size_t>(pixels)), field_y);
      }
      float* const image = images.col(j).data();
      for (Index row = 0; row < height_; ++row) {
        std::copy_n(image + row * width_, width_, padded.data() + (row + 1) * stride + 1);
      }
      const float middle_x = static_cast<float>(width_ - 1) / 2;
      const float middle_y = static_cast<float>(height_ - 1) / 2;
      const auto last_x = static_cast<float>(width_ + 1);
      const auto last_y = static_cast<float>(height_ + 1);
      for (Index row = 0; row < height_; ++row) {
        const float y = static_cast<float>(row) - middle_y;
        const float* const moved_x = field_x.col(row).data();
        const float* const moved_y = field_y.col(row).data();
        float* const to = image + row * width_;
        // In the padded image, whose first row and column are zeros.
        const float begin_x = map.xy * y + map.x0 + middle_x + 1;
        const float begin_y = map.yy * y + map.y0 + middle_y + 1;
        const auto columns = static_cast<std::int32_t>(width_);
#pragma omp simd
        for (std::int32_t column = 0; column < columns; ++column) {
          const float x = static_cast<float>(column) - middle_x;
          const float from_x = begin_x + map.xx * x + moved_x[column];
          const float from_y = begin_y + map.yx * x + moved_y[column];
          to[column] = value_at(padded.data(), static_cast<std::int32_t>(stride),
                                std::min(std::max(from_x, 0.0f), last_x),
                                std::min(std::max(from_y, 0.0f), last_y));
        }
      }
    }
  }
}

}  // namespace sae
