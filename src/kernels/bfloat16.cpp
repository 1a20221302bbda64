#include "sae/kernels/bfloat16.hpp"

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace sae {
namespace {

std::uint16_t rounded_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t nearest = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return static_cast<std::uint16_t>(is_nan ? (bits >> 16) | 0x40U : nearest);
}

float widened_bits(std::uint16_t value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }

// Compilers find vector instructions for integers, not for a class that holds one.
static_assert(sizeof(bfloat16) == sizeof(std::uint16_t));
const std::uint16_t* bits_of(std::span<const bfloat16> values) {
  return reinterpret_cast<const std::uint16_t*>(values.data());
}
std::uint16_t* bits_of(std::span<bfloat16> values) {
  return reinterpret_cast<std::uint16_t*>(values.data());
}

}  // namespace

void round_to_bfloat16(std::span<const float> values, std::span<bfloat16> rounded) {
  assert(values.size() == rounded.size());
  const float* from = values.data();
  std::uint16_t* to = bits_of(rounded);
  for (std::size_t i = 0; i < values.size(); ++i) to[i] = rounded_bits(from[i]);
}

void widen(std::span<const bfloat16> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  const std::uint16_t* from = bits_of(values);
  float* to = sum.data();
  for (std::size_t i = 0; i < values.size(); ++i) to[i] = widened_bits(from[i]);
}

void add_widened(std::span<const bfloat16> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  const std::uint16_t* from = bits_of(values);
  float* to = sum.data();
  for (std::size_t i = 0; i < values.size(); ++i) to[i] += widened_bits(from[i]);
}

}  // namespace sae
