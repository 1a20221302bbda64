#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "sae/monitor/grey_picture.hpp"

namespace sae {

/// The bytes of a PNG file, 8 bits a pixel.
/// Requires: width and height are at least 1. Throws: OutputError if libpng fails.
std::string encode_png(const GreyPicture& picture);

/// Writes a PNG file that appears complete, or not at all; it is not forced to disk, as what can be
/// painted again. Throws: OutputError.
void write_png(const std::filesystem::path& path, const GreyPicture& picture,
               const std::function<void()>& before_rename = {});

}  // namespace sae
