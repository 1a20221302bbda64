#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <type_traits>

namespace sae {

using Index = std::int64_t;

/// Column-major; one sample per column, shape (features, samples). HDF5 stores
/// (samples, features) row by row, so a block of rows is such a matrix as it stands.
template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <typename T>
using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

/// The upper half of a float: its range, 8 bits of precision.
using bfloat16 = Eigen::bfloat16;  // NOLINT(readability-identifier-naming): as float, double

/// Type of sums and parameters if the operands of products are T.
template <typename T>
using Master = std::conditional_t<std::is_same_v<T, bfloat16>, float, T>;

/// In place of the label of a sample that has none; -1 in files.
inline constexpr std::uint16_t kNoLabel = 65535;

/// The half-open range [begin, end) of samples, positions or elements.
struct Range {
  Index begin = 0;
  Index end = 0;
  Index size() const { return end - begin; }
  bool contains(Index i) const { return begin <= i && i < end; }
  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace sae
