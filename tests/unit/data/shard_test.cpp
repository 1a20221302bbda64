#include "sae/data/shard.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace sae {
namespace {

TEST(Record, BytesBecomeFractionsOf255) {
  const RecordFormat format{.features = 3, .pixel_type = PixelType::kUint8};
  const std::array<std::byte, 5> record = {std::byte{0}, std::byte{51}, std::byte{255},
                                           std::byte{7}, std::byte{1}};
  std::array<float, 3> pixels{};
  decode_pixels(format, record, pixels);
  EXPECT_EQ(pixels, (std::array<float, 3>{0.0f, 0.2f, 1.0f}));
  EXPECT_EQ(decode_label(format, record), 263);  // Little-endian.
}

TEST(Record, FloatsStayAsTheyAre) {
  const RecordFormat format{.features = 2, .pixel_type = PixelType::kFloat32};
  const std::array<float, 2> values = {0.25f, 0.75f};
  std::vector<std::byte> record(format.bytes());
  std::memcpy(record.data(), values.data(), sizeof values);
  std::array<float, 2> pixels{};
  decode_pixels(format, record, pixels);
  EXPECT_EQ(pixels, values);
}

TEST(Record, CodesInBfloat16AreWidened) {
  const RecordFormat format{.features = 3, .pixel_type = PixelType::kBfloat16, .encoded_layers = 1};
  EXPECT_EQ(format.bytes(), 8u);
  const std::array<std::uint16_t, 4> record = {0x3f80, 0x3e00, 0x0000, 77};  // 1, 1/8, 0; a label.
  std::array<float, 3> codes{};
  decode_pixels(format, std::as_bytes(std::span(record)), codes);
  EXPECT_EQ(codes, (std::array<float, 3>{1.0f, 0.125f, 0.0f}));
  EXPECT_EQ(decode_label(format, std::as_bytes(std::span(record))), 77);
}

TEST(Shard, RecordsAreFoundByTheIndexInTheSet) {
  const RecordFormat format{.features = 1, .pixel_type = PixelType::kUint8};
  Shard shard(format, 100, {10, 14});
  EXPECT_EQ(shard.size_bytes(), 4 * format.bytes());
  shard.records({12, 13})[0] = std::byte{9};
  EXPECT_EQ(shard.record(12)[0], std::byte{9});
  EXPECT_EQ(shard.record(11)[0], std::byte{0});
}

TEST(Shard, MayBeEmpty) {
  const Shard shard({.features = 4, .pixel_type = PixelType::kUint8}, 3, {2, 2});
  EXPECT_EQ(shard.samples().size(), 0);
  EXPECT_EQ(shard.size_bytes(), 0u);
}

}  // namespace
}  // namespace sae
