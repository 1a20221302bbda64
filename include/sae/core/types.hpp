#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace sae {

using Index = std::int64_t;

/// Column-major; one sample per column, shape (features, samples). HDF5 stores
/// (samples, features) row by row, so a block of rows is such a matrix as it stands.
template <typename T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <typename T>
using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

/// The half-open range [begin, end) of samples, positions or elements.
struct Range {
  Index begin = 0;
  Index end = 0;
  Index size() const { return end - begin; }
  bool contains(Index i) const { return begin <= i && i < end; }
  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace sae
