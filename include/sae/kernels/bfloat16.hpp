#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <type_traits>

#include "sae/core/types.hpp"

namespace sae {

// Conversions of single values. A bfloat16 is its 16 bits here, because compilers vectorise loops
// over integers, not over a class that wraps one.

inline float widened(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
inline float widened(float value) { return value; }
inline double widened(double value) { return value; }

/// Rounds to the nearest bfloat16, ties to even; NaN stays NaN.
inline std::uint16_t rounded_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t nearest = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return static_cast<std::uint16_t>(is_nan ? (bits >> 16) | 0x40U : nearest);
}

/// Writes a value as an element, or as the bits of a bfloat16.
inline void store(float value, std::uint16_t& bits) { bits = rounded_bits(value); }
template <typename T>
void store(std::type_identity_t<T> value, T& element) {
  element = value;
}

static_assert(sizeof(bfloat16) == sizeof(std::uint16_t));
inline const std::uint16_t* bits_of(const bfloat16* values) {
  return reinterpret_cast<const std::uint16_t*>(values);
}
inline std::uint16_t* bits_of(bfloat16* values) { return reinterpret_cast<std::uint16_t*>(values); }
template <typename T>
T* bits_of(T* values) {
  return values;
}

// Conversions of whole vectors. Requires: the spans of a call have one size.

/// rounded = the nearest bfloat16 of each value.
void round_to_bfloat16(std::span<const float> values, std::span<bfloat16> rounded);

/// sum = values.
void widen(std::span<const bfloat16> values, std::span<float> sum);
/// sum += values.
void add_widened(std::span<const bfloat16> values, std::span<float> sum);
void add_widened(std::span<const float> values, std::span<float> sum);

/// operands = x, rounded if T is bfloat16.
template <typename T>
void convert(const Matrix<Master<T>>& x, Matrix<T>& operands) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    operands.resize(x.rows(), x.cols());
    const auto size = static_cast<std::size_t>(x.size());
    round_to_bfloat16({x.data(), size}, {operands.data(), size});
  } else {
    operands = x;
  }
}

}  // namespace sae
