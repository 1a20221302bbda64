#pragma once

#include <optional>
#include <span>
#include <vector>

#include "sae/data/dataset_file.hpp"
#include "sae/kernels/products.hpp"
#include "sae/model/denoising.hpp"
#include "sae/model/flat_vectors.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/monitor/grey_picture.hpp"

namespace sae {

/// How the pixels of a sample make a picture.
struct PictureShape {
  Index height = 0;
  Index width = 0;
};

/// As the data set says; flat samples are shown as the smallest square that holds them, what is
/// left of it grey. None for samples of more than 65,536 pixels.
std::optional<PictureShape> picture_shape(const DatasetInfo& info);

/// The columns of `images` (pixels, count), 0 black and 1 white, side by side in rows of `columns`,
/// with a pixel between neighbours.
GreyPicture tile(const ConstMatrixRef<float>& images, const PictureShape& shape, Index columns);

inline constexpr Index kMostFilters = 100;

/// The weights of the first units of a hidden layer, at most kMostFilters, in rows of ten. Those of
/// upper layers are projected down to pixels by the product of the weights below. 0 is grey; the
/// largest weight of a unit, of either sign, is black or white.
GreyPicture filters_picture(const ParameterLayout& layout, std::span<const float> parameters,
                            Index layer, const PictureShape& shape);

/// In groups of rows of ten samples: a row for each of `kinds`, which have the same samples.
GreyPicture rows_picture(const std::vector<ConstMatrixRef<float>>& kinds,
                         const PictureShape& shape);

/// In groups of three rows of ten samples: inputs, corrupted, reconstructed.
GreyPicture reconstructions_picture(const Reconstructions& samples, const PictureShape& shape);

}  // namespace sae
