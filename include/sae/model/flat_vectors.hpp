#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "sae/core/types.hpp"

namespace sae {

/// A flat vector, as a span.
template <typename T>
std::span<const T> span_of(const Vector<T>& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}
template <typename T>
std::span<T> span_of(Vector<T>& vector) {
  return {vector.data(), static_cast<std::size_t>(vector.size())};
}

/// The elements of `part`; none if the vector has none.
template <typename T>
std::span<T> within(std::span<T> vector, Range part) {
  if (vector.empty()) return vector;
  return vector.subspan(static_cast<std::size_t>(part.begin),
                        static_cast<std::size_t>(part.size()));
}

/// The flat vector of parameters that an objective reads. Where the operands of products are
/// bfloat16, `rounded` holds the same in bfloat16; else it may be empty.
template <typename T>
struct ParametersRef {
  ParametersRef(std::span<const T> given, std::span<const bfloat16> given_rounded)
      : values(given), rounded(given_rounded) {}
  ParametersRef(const Vector<T>& vector) : values(span_of(vector)) {}

  std::span<const T> values;
  std::span<const bfloat16> rounded;
};

/// The flat vector that an objective writes its gradient to: one of the two, by its type.
template <typename T>
struct GradientRef {
  GradientRef(std::span<T> given, std::span<bfloat16> given_rounded)
      : values(given), rounded(given_rounded) {}
  GradientRef(Vector<T>& vector) : values(span_of(vector)) {}

  std::span<T> values;
  std::span<bfloat16> rounded;
};

template <typename T>
GradientRef<T> within(const GradientRef<T>& gradient, Range part) {
  return {within(gradient.values, part), within(gradient.rounded, part)};
}

/// The one of the two vectors whose elements are of type E.
template <typename E, typename Ref>
auto elements_of(const Ref& ref) {
  if constexpr (std::is_same_v<E, bfloat16>) {
    return ref.rounded;
  } else {
    return ref.values;
  }
}

}  // namespace sae
