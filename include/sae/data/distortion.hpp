#pragma once

#include <cstdint>
#include <span>

#include "sae/core/types.hpp"

namespace sae {

/// Random distortions of images: the largest of each kind; 0: none of it.
struct Distortion {
  double rotation = 0;  ///< Degrees, either way.
  double zoom = 0;      ///< Share by which width and height grow or shrink, each by its own.
  double shear = 0;     ///< Columns by which a row moves for each row of distance from the middle.
  double shift = 0;     ///< Pixels, in both directions.
  /// Elastic distortion (Simard, Steinkraus and Platt, ICDAR 2003): each pixel moves by a random
  /// field within [-1, 1], smoothed by a Gaussian of this standard deviation in pixels, times this
  /// factor.
  double elastic = 0;
  double elastic_sigma = 5;

  bool is_used() const { return rotation > 0 || zoom > 0 || shear > 0 || shift > 0 || elastic > 0; }
};

/// What distorted images are a function of, besides their indices.
struct DistortionKey {
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;
  std::uint32_t epoch = 0;
};

/// Distorts images of one size.
class Distorter {
 public:
  Distorter(const Distortion& distortion, Index height, Index width);

  /// Distorts each column of `images` (pixels, samples), row by row, in place: each pixel takes the
  /// value at its random place, between pixels in proportion (bilinear), 0 outside. The place
  /// depends on the key and the sample's index alone, so on no rank. Local.
  void distort(const DistortionKey& key, std::span<const std::uint32_t> samples,
               Matrix<float>& images) const;

  /// Samples 0, 1, ... as the first stage sees them in its first epoch.
  Matrix<float> preview(std::uint64_t seed, Matrix<float> images) const;

 private:
  Distortion distortion_;
  Index height_, width_;
  Matrix<float> smooth_rows_, smooth_columns_;  ///< Gaussians; empty without elastic distortion.
};

}  // namespace sae
