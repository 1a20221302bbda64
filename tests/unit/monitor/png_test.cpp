#include "monitor/png.hpp"

#include <gtest/gtest.h>
#include <png.h>

#include <fstream>
#include <iterator>

#include "sae/core/error.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

GreyPicture gradient() {
  GreyPicture picture{.width = 37, .height = 11, .pixels = {}};
  for (Index i = 0; i < 37 * 11; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 7));
  return picture;
}

TEST(Png, IsWhatLibpngReads) {
  const GreyPicture picture = gradient();
  const std::string bytes = encode_png(picture);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0);
  EXPECT_EQ(image.format, PNG_FORMAT_GRAY);
  ASSERT_EQ(image.width, 37u);
  ASSERT_EQ(image.height, 11u);
  std::vector<std::uint8_t> pixels(37 * 11);
  ASSERT_NE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr), 0);
  EXPECT_EQ(pixels, picture.pixels);
}

TEST(Png, FileHoldsTheBytesAndNothingElseIsLeft) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "gradient.png";
  write_png(path, encode_png(gradient()));
  std::ifstream stream(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), encode_png(gradient()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Png, AFolderThatIsNotThereIsAnOutputError) {
  const TemporaryDirectory folder;
  EXPECT_THROW(write_png(folder.path() / "none" / "gradient.png", encode_png(gradient())),
               OutputError);
}

}  // namespace
}  // namespace sae
