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

/// Pixels between the random values of a field: a Gaussian smooths away what lies between them.
Index spacing(double sigma) { return std::max<Index>(1, static_cast<Index>(sigma / 2)); }

/// (size, values): column j is a Gaussian around the place of value j. A field of independent
/// values varies as much as one with a value for each pixel.
Matrix<float> gaussians(Index size, double sigma) {
  const Index step = spacing(sigma);
  const double height = std::sqrt(static_cast<double>(step) / (2 * std::numbers::pi)) / sigma;
  Matrix<float> kernel(size, (size + step - 1) / step);
  for (Index j = 0; j < kernel.cols(); ++j) {
    const double place = static_cast<double>(j * step) + static_cast<double>(step - 1) / 2;
    for (Index i = 0; i < size; ++i) {
      const double distance = (static_cast<double>(i) - place) / sigma;
      kernel(i, j) = static_cast<float>(height * std::exp(-distance * distance / 2));
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

/// Takes the values of one image at places between its pixels. One for each thread.
class Resampler {
 public:
  Resampler(Index height, Index width)
      : height_(height),
        width_(static_cast<std::int32_t>(width)),
        stride_(width_ + 3),
        padded_(static_cast<std::size_t>((height + 3) * stride_), 0.0f),
        corner_(static_cast<std::size_t>(width)),
        right_(corner_.size()),
        below_(corner_.size()) {}

  /// Each pixel takes the value at its mapped place, moved by the fields (width, height).
  void resample(const AffineMap& map, const Matrix<float>& field_x, const Matrix<float>& field_y,
                float* image) {
    for (Index row = 0; row < height_; ++row) {
      std::copy_n(image + row * width_, width_, padded_.data() + (row + 1) * stride_ + 1);
    }
    for (Index row = 0; row < height_; ++row) {
      find_places(map, row, field_x.col(row).data(), field_y.col(row).data());
      interpolate(image + row * width_);
    }
  }

 private:
  /// In the padded image; places outside it fall on its border.
  void find_places(const AffineMap& map, Index row, const float* moved_x, const float* moved_y) {
    const float middle_x = static_cast<float>(width_ - 1) / 2;
    const float middle_y = static_cast<float>(height_ - 1) / 2;
    const float y = static_cast<float>(row) - middle_y;
    const float begin_x = map.xy * y + map.x0 + middle_x + 1;
    const float begin_y = map.yy * y + map.y0 + middle_y + 1;
    const auto last_x = static_cast<float>(width_ + 1);
    const auto last_y = static_cast<float>(height_ + 1);
    std::int32_t* const corner = corner_.data();
    float* const right = right_.data();
    float* const below = below_.data();
#pragma omp simd simdlen(8)
    for (std::int32_t i = 0; i < width_; ++i) {
      const float x = static_cast<float>(i) - middle_x;
      const float at_x = std::min(std::max(begin_x + map.xx * x + moved_x[i], 0.0f), last_x);
      const float at_y = std::min(std::max(begin_y + map.yx * x + moved_y[i], 0.0f), last_y);
      const auto left = static_cast<std::int32_t>(at_x);
      const auto top = static_cast<std::int32_t>(at_y);
      corner[i] = top * stride_ + left;
      right[i] = at_x - static_cast<float>(left);
      below[i] = at_y - static_cast<float>(top);
    }
  }

  /// Of the four pixels around each place. In a loop of its own: processors gather slowly.
  void interpolate(float* to) const {
    for (std::size_t i = 0; i < corner_.size(); ++i) {
      const float* const upper = padded_.data() + corner_[i];
      const float* const lower = upper + stride_;
      const float above = upper[0] + right_[i] * (upper[1] - upper[0]);
      const float beneath = lower[0] + right_[i] * (lower[1] - lower[0]);
      to[i] = above + below_[i] * (beneath - above);
    }
  }

  Index height_;
  std::int32_t width_;
  std::int32_t stride_;               ///< Of a row of the padded image.
  std::vector<float> padded_;         ///< The image within a border of zeros.
  std::vector<std::int32_t> corner_;  ///< For each place of a row, the pixel above and left.
  std::vector<float> right_, below_;  ///< Shares of the pixels to the right and below.
};

/// Fields of movements in pixels, one for columns and one for rows. One for each thread.
class ElasticFields {
 public:
  /// (width, values) and (values, height), both empty without elastic distortion.
  ElasticFields(const Matrix<float>& smooth_rows, const Matrix<float>& smooth_columns, double limit)
      : smooth_rows_(smooth_rows),
        smooth_columns_(smooth_columns),
        limit_(limit),
        rough_(smooth_rows.cols(), smooth_columns.rows()) {}

  std::size_t words() const { return static_cast<std::size_t>(rough_.size()); }

  void draw(std::span<const std::uint32_t> words, Matrix<float>& field) {
    for (std::size_t i = 0; i < words.size(); ++i) rough_.data()[i] = uniform(words[i], limit_);
    smoothed_.noalias() = smooth_rows_ * rough_;
    field.noalias() = smoothed_ * smooth_columns_;
  }

 private:
  const Matrix<float>&smooth_rows_, &smooth_columns_;
  double limit_;
  Matrix<float> rough_, smoothed_;
};

}  // namespace

Distorter::Distorter(const Distortion& distortion, Index height, Index width)
    : distortion_(distortion), height_(height), width_(width) {
  if (distortion.elastic > 0) {
    smooth_rows_ = gaussians(width, distortion.elastic_sigma);
    smooth_columns_ = gaussians(height, distortion.elastic_sigma).transpose();
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
#pragma omp parallel
  {
    ElasticFields fields(smooth_rows_, smooth_columns_, distortion_.elastic);
    Resampler resampler(height_, width_);
    std::vector<std::uint32_t> drawn(kAffineWords + 2 * fields.words());
    const auto elastic_words = std::span<const std::uint32_t>(drawn).subspan(kAffineWords);
    Matrix<float> field_x = Matrix<float>::Zero(width_, height_);
    Matrix<float> field_y = field_x;
#pragma omp for schedule(static)
    for (Index j = 0; j < images.cols(); ++j) {
      fill_with_random_words({.seed = key.seed,
                              .purpose = RandomPurpose::kDistortion,
                              .stage = key.stage,
                              .epoch = key.epoch,
                              .sample = samples[static_cast<std::size_t>(j)]},
                             drawn);
      if (!elastic_words.empty()) {
        fields.draw(elastic_words.first(fields.words()), field_x);
        fields.draw(elastic_words.last(fields.words()), field_y);
      }
      resampler.resample(draw_map(distortion_, drawn), field_x, field_y, images.col(j).data());
    }
  }
}

}  // namespace sae
