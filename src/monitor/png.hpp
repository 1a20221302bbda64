#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "sae/monitor/grey_picture.hpp"

namespace sae {

/// The bytes of a PNG file, 8 bits a pixel.
/// Requires: width and height are at least 1. Throws: OutputError if libpng fails.
std::string encode_png(const GreyPicture& picture);

/// Writes the bytes of a PNG file, which appears complete or not at all. It is not forced to disk:
/// it can be made again. Throws: OutputError.
void write_png(const std::filesystem::path& path, const std::string& bytes,
               const std::function<void()>& before_rename = {});

}  // namespace sae
