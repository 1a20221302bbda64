#include "bfloat16.hpp"

#include <cassert>
#include <cstddef>

namespace sae {

void round_to_bfloat16(std::span<const float> values, std::span<bfloat16> rounded) {
  assert(values.size() == rounded.size());
  const float* from = values.data();
  std::uint16_t* to = bits_of(rounded.data());
  for (std::size_t i = 0; i < values.size(); ++i) to[i] = rounded_bits(from[i]);
}

void widen(std::span<const bfloat16> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  const std::uint16_t* from = bits_of(values.data());
  float* to = sum.data();
  for (std::size_t i = 0; i < values.size(); ++i) to[i] = widened(from[i]);
}

void add_widened(std::span<const bfloat16> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  const std::uint16_t* from = bits_of(values.data());
  float* to = sum.data();
  for (std::size_t i = 0; i < values.size(); ++i) to[i] += widened(from[i]);
}

}  // namespace sae
