#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// A grey picture, row by row from the top; 0 is black, 255 white.
struct GreyPicture {
  Index width = 0;
  Index height = 0;
  std::vector<std::uint8_t> pixels;  ///< width * height.
};

/// The bytes of a PNG file, 8 bits a pixel.
/// Requires: width and height are at least 1. Throws: OutputError if libpng fails.
std::string encode_png(const GreyPicture& picture);

/// Writes a PNG file that appears complete, or not at all; it is not forced to disk, as what can be
/// painted again. Throws: OutputError.
void write_png(const std::filesystem::path& path, const GreyPicture& picture,
               const std::function<void()>& before_rename = {});

}  // namespace sae
