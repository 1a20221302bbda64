#include "sae/kernels/bfloat16.hpp"

#include <cassert>
#include <cstddef>

namespace sae {
namespace {

/// Below this number of elements one thread is faster than several.
constexpr std::size_t kFewForThreads = 16384;

}  // namespace

void round_to_bfloat16(std::span<const float> values, std::span<bfloat16> rounded) {
  assert(values.size() == rounded.size());
  const std::size_t size = values.size();
  const float* from = values.data();
  std::uint16_t* to = bits_of(rounded.data());
#pragma omp parallel for simd schedule(static) if (size >= kFewForThreads)
  for (std::size_t i = 0; i < size; ++i) to[i] = rounded_bits(from[i]);
}

void widen(std::span<const bfloat16> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  const std::size_t size = values.size();
  const std::uint16_t* from = bits_of(values.data());
  float* to = sum.data();
#pragma omp parallel for simd schedule(static) if (size >= kFewForThreads)
  for (std::size_t i = 0; i < size; ++i) to[i] = widened(from[i]);
}

void add_widened(std::span<const bfloat16> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  const std::size_t size = values.size();
  const std::uint16_t* from = bits_of(values.data());
  float* to = sum.data();
#pragma omp parallel for simd schedule(static) if (size >= kFewForThreads)
  for (std::size_t i = 0; i < size; ++i) to[i] += widened(from[i]);
}

void add_widened(std::span<const float> values, std::span<float> sum) {
  assert(values.size() == sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
}

}  // namespace sae
