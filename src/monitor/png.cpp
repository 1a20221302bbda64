#include "png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <cassert>

#include "sae/core/error.hpp"
#include "sae/storage/output_file.hpp"

namespace sae {

std::string encode_png(const GreyPicture& picture) {
  assert(static_cast<Index>(picture.pixels.size()) == picture.width * picture.height);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_GRAY;
  image.flags = PNG_IMAGE_FLAG_FAST;
  const auto write = [&](void* memory, png_alloc_size_t& size) {
    if (png_image_write_to_memory(&image, memory, &size, 0, picture.pixels.data(), 0, nullptr) ==
        0) {
      throw OutputError(fmt::format("Cannot make a picture of {} x {} pixels: libpng says '{}'.",
                                    picture.width, picture.height, image.message));
    }
  };
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  write(bytes.data(), size);
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& path, const std::string& bytes,
               const std::function<void()>& before_rename) {
  OutputFile file(path);
  file.write(bytes);
  if (before_rename) before_rename();
  file.rename_into_place();
}

}  // namespace sae
