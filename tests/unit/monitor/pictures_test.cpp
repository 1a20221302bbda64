#include "sae/monitor/pictures.hpp"

#include <gtest/gtest.h>

#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

/// Of tiles with a pixel between them.
int pixel_at(const GreyPicture& picture, Index row, Index column) {
  return picture.pixels[static_cast<std::size_t>(row * picture.width + column)];
}

TEST(PictureShape, IsThatOfTheDataSetOrTheSmallestSquare) {
  DatasetInfo info;
  info.features = 12;
  info.height = 3;
  info.width = 4;
  EXPECT_EQ(picture_shape(info)->height, 3);
  EXPECT_EQ(picture_shape(info)->width, 4);
  info.features = 7;
  info.height = info.width = 0;
  EXPECT_EQ(picture_shape(info)->height, 3);
  EXPECT_EQ(picture_shape(info)->width, 3);
  info.features = 65536 + 1;
  EXPECT_FALSE(picture_shape(info).has_value());
}

TEST(Tile, PlacesEachImageInItsRowAndColumn) {
  // Four images of 2 x 3 pixels, three a row, bright at their own number.
  Matrix<float> images = Matrix<float>::Zero(6, 4);
  for (Index i = 0; i < 4; ++i) images(i, i) = 1;
  const GreyPicture picture = tile(images, {.height = 2, .width = 3}, 3);
  EXPECT_EQ(picture.width, 11);
  EXPECT_EQ(picture.height, 5);
  EXPECT_EQ(pixel_at(picture, 0, 0), 255);
  EXPECT_EQ(pixel_at(picture, 0, 4 + 1), 255);
  EXPECT_EQ(pixel_at(picture, 0, 8 + 2), 255);
  EXPECT_EQ(pixel_at(picture, 3 + 1, 0), 255);
  EXPECT_EQ(pixel_at(picture, 0, 3), 128);
  EXPECT_EQ(pixel_at(picture, 4, 10), 128);
  EXPECT_EQ(std::count(picture.pixels.begin(), picture.pixels.end(), 255), 4);
}

TEST(Tile, LeavesTheRestOfAFlatSampleGreyAndClampsValues) {
  Matrix<float> image(3, 1);
  image << -1, 2, 0.5;
  const GreyPicture picture = tile(image, {.height = 2, .width = 2}, 10);
  EXPECT_EQ(picture.pixels, (std::vector<std::uint8_t>{0, 255, 128, 128}));
}

TEST(Filters, OfTheFirstLayerAreItsWeightsScaledByTheLargest) {
  const ParameterLayout layout({.inputs = 4, .hidden = {2}, .classes = 2});
  Vector<float> parameters = Vector<float>::Zero(layout.size());
  view_of(parameters, layout.hidden(0).weights) << 0, 2, -1, 0, -4, 0, 0, 4;
  const GreyPicture picture =
      filters_picture(layout, span_of(std::as_const(parameters)), 0, {2, 2});
  const std::vector<std::uint8_t> expected = {128, 255, 128, 0, 128, 64, 128, 128, 128, 255};
  EXPECT_EQ(picture.pixels, expected);
}

TEST(Filters, OfUpperLayersAreProjectedDown) {
  const ParameterLayout layout({.inputs = 4, .hidden = {3, 200}, .classes = 2});
  Vector<float> parameters;
  initialize_parameters(layout, 1, parameters);
  const GreyPicture picture =
      filters_picture(layout, span_of(std::as_const(parameters)), 1, {2, 2});
  EXPECT_EQ(picture.width, 29);
  EXPECT_EQ(picture.height, 29);
  const Matrix<float> product =
      view_of(parameters, layout.hidden(1).weights) * view_of(parameters, layout.hidden(0).weights);
  for (Index unit = 0; unit < 100; ++unit) {
    const double value = product(unit, 3) / product.row(unit).cwiseAbs().maxCoeff();
    EXPECT_NEAR(pixel_at(picture, unit / 10 * 3 + 1, unit % 10 * 3 + 1), 127.5 * (1 + value), 1);
  }
}

struct ReconstructionsOfALayer : testing::Test {
  ParameterLayout layout{{.inputs = 30, .hidden = {20, 10}, .classes = 2}};
  Vector<float> parameters;
  Minibatch<float> samples;
  DenoisingSettings settings{.layer = 1, .noise = {.level = 0.5}, .seed = 3, .stage = 1};

  ReconstructionsOfALayer() {
    initialize_parameters(layout, 1, parameters);
    samples.inputs = Matrix<float>::Constant(30, 12, 0.75f);
    for (std::uint32_t i = 0; i < 12; ++i) samples.samples.push_back(i);
  }
};

TEST_F(ReconstructionsOfALayer, CorruptTheImageAndPassItThroughTheStack) {
  settings.corruption_at = CorruptionAt::kImage;
  const Reconstructions result = reconstruct(layout, parameters, settings, samples, 1);
  EXPECT_EQ(result.inputs, samples.inputs);
  const auto zeros = (result.corrupted.array() == 0).count();
  EXPECT_NEAR(static_cast<double>(zeros), 180, 50);
  EXPECT_EQ((result.corrupted.array() == 0.75f).count(), 360 - zeros);
  const Matrix<float> expected = decode<float>(
      layout, 2, parameters, encode<float>(layout, {0, 2}, parameters, result.corrupted));
  EXPECT_EQ(result.reconstructed, expected);
}

TEST_F(ReconstructionsOfALayer, ShowCorruptedCodesDecoded) {
  settings.noise.level = 0;
  const Reconstructions clean = reconstruct(layout, parameters, settings, samples, 1);
  const Matrix<float> codes = encode<float>(layout, {0, 1}, parameters, samples.inputs);
  EXPECT_EQ(clean.corrupted, decode<float>(layout, 1, parameters, codes));
  settings.noise = {.level = 0.5};
  const Reconstructions noisy = reconstruct(layout, parameters, settings, samples, 1);
  EXPECT_NE(noisy.corrupted, clean.corrupted);
  EXPECT_NE(noisy.reconstructed, clean.reconstructed);
}

TEST_F(ReconstructionsOfALayer, MakeRowsOfInputsCorruptedAndReconstructed) {
  Reconstructions rows;
  rows.inputs = Matrix<float>::Constant(1, 12, 1.0f);
  rows.corrupted = Matrix<float>::Constant(1, 12, 0.0f);
  rows.reconstructed = Matrix<float>::Constant(1, 12, 0.2f);
  const GreyPicture picture = reconstructions_picture(rows, {1, 1});
  EXPECT_EQ(picture.width, 19);
  EXPECT_EQ(picture.height, 11);
  for (const Index column : {Index{0}, Index{2}}) {
    for (const Index group : {Index{0}, Index{6}}) {
      EXPECT_EQ(pixel_at(picture, group, column), 255);
      EXPECT_EQ(pixel_at(picture, group + 2, column), 0);
      EXPECT_EQ(pixel_at(picture, group + 4, column), 51);
    }
  }
  EXPECT_EQ(pixel_at(picture, 6, 4), 128);
}

}  // namespace
}  // namespace sae
