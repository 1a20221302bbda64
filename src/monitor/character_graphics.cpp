#include "sae/monitor/character_graphics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sae/core/partition.hpp"

namespace sae {
namespace {

/// The colour of a terminal of 256 colours: 232 to 255 are greys, from dark to bright.
int colour_of(std::uint8_t grey) { return 232 + grey * 23 / 255; }

std::uint8_t pixel_of(const GreyPicture& picture, Index row, Index column) {
  if (row >= picture.height) return 0;
  return picture.at(row, column);
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// One value for each column.
std::vector<double> gathered(const std::vector<double>& values, Index columns) {
  const Range all{0, static_cast<Index>(values.size())};
  const Index count = std::min(columns, all.size());
  std::vector<double> result;
  for (Index column = 0; column < count; ++column) {
    const Range part = part_of_range(all, column, count);
    result.push_back(mean(std::span(values).subspan(static_cast<std::size_t>(part.begin),
                                                    static_cast<std::size_t>(part.size()))));
  }
  return result;
}

}  // namespace

std::string half_blocks(std::span<const GreyPicture> pictures) {
  std::string text;
  if (pictures.empty()) return text;
  for (Index row = 0; row < pictures.front().height; row += 2) {
    for (const GreyPicture& picture : pictures) {
      for (Index column = 0; column < picture.width; ++column) {
        text += fmt::format("\x1b[38;5;{};48;5;{}m▀", colour_of(pixel_of(picture, row, column)),
                            colour_of(pixel_of(picture, row + 1, column)));
      }
      text += "\x1b[0m ";
    }
    text.back() = '\n';
  }
  return text;
}

std::string curve(const std::vector<double>& values, Index columns, Index rows) {
  static constexpr std::array<const char*, 9> kEighths = {" ", "▁", "▂", "▃", "▄",
                                                          "▅", "▆", "▇", "█"};
  const std::vector<double> heights = gathered(values, columns);
  const auto [lowest, highest] = std::minmax_element(heights.begin(), heights.end());
  const double low = *lowest;
  const double span = *highest - low;
  std::string text;
  for (Index row = rows - 1; row >= 0; --row) {
    const bool top = row == rows - 1;
    text += top || row == 0 ? fmt::format("  {:>9.4g} ", top ? *highest : low)
                            : fmt::format("  {:>9} ", "");
    for (const double height : heights) {
      // The lowest value still shows an eighth of a row.
      const double share = span > 0 ? (height - low) / span : 0;
      const auto eighths = 1 + std::llround(share * static_cast<double>(8 * rows - 1)) - 8 * row;
      text += kEighths[static_cast<std::size_t>(std::clamp<Index>(eighths, 0, 8))];
    }
    text += "\n";
  }
  return text;
}

}  // namespace sae
