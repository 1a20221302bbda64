#pragma once

#include <cstdint>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// A grey picture, row by row from the top; 0 is black, 255 white.
struct GreyPicture {
  Index width = 0;
  Index height = 0;
  std::vector<std::uint8_t> pixels;  ///< width * height.

  std::uint8_t at(Index row, Index column) const {
    return pixels[static_cast<std::size_t>(row * width + column)];
  }
};

/// The means of blocks of pixels, so that no side is longer than `side`.
GreyPicture shrunk_to_side(const GreyPicture& picture, Index side);

/// Likewise, so that about `pixels` are left at most.
GreyPicture shrunk_to_pixels(const GreyPicture& picture, Index pixels);

}  // namespace sae
