#include "sae/monitor/grey_picture.hpp"

#include <algorithm>

#include "sae/core/partition.hpp"

namespace sae {
namespace {

GreyPicture shrunk(const GreyPicture& picture, Index width, Index height) {
  GreyPicture result{.width = width, .height = height, .pixels = {}};
  for (Index row = 0; row < height; ++row) {
    for (Index column = 0; column < width; ++column) {
      const Range rows = part_of_range({0, picture.height}, row, height);
      const Range columns = part_of_range({0, picture.width}, column, width);
      Index sum = 0;
      for (Index y = rows.begin; y < rows.end; ++y) {
        for (Index x = columns.begin; x < columns.end; ++x) sum += picture.at(y, x);
      }
      result.pixels.push_back(static_cast<std::uint8_t>(sum / (rows.size() * columns.size())));
    }
  }
  return result;
}

}  // namespace

GreyPicture shrunk_to_side(const GreyPicture& picture, Index side) {
  const Index longest = std::max(picture.height, picture.width);
  if (longest <= side) return picture;
  const auto size_of = [&](Index size) { return std::max<Index>(size * side / longest, 1); };
  return shrunk(picture, size_of(picture.width), size_of(picture.height));
}

GreyPicture shrunk_to_pixels(const GreyPicture& picture, Index pixels) {
  Index factor = 1;
  while (picture.width * picture.height > pixels * factor * factor) ++factor;
  if (factor == 1) return picture;
  return shrunk(picture, std::max<Index>(picture.width / factor, 1),
                std::max<Index>(picture.height / factor, 1));
}

}  // namespace sae
