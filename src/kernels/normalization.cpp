#include "sae/kernels/normalization.hpp"

#include <cmath>

#include "row_blocks.hpp"

namespace sae {

const Choices<Normalization>& normalization_kinds() {
  static const Choices<Normalization> kinds = {
      {"none", Normalization::kNone},
      {"batch", Normalization::kBatch, "per unit over the minibatch of all ranks"},
      {"layer", Normalization::kLayer, "per sample over the units"}};
  return kinds;
}

template <typename T>
void add_row_sums(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& b, std::span<double> sums) {
  const Index units = a.rows();
  double* const first = sums.data();
  double* const second = sums.data() + units;
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < row_blocks(units); ++block) {
    const Range rows = rows_of_block(block, units);
    for (Index j = 0; j < a.cols(); ++j) {
      const T* const x = a.col(j).data();
      const T* const y = b.col(j).data();
      for (Index i = rows.begin; i < rows.end; ++i) {
        first[i] += static_cast<double>(x[i]);
        second[i] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
      }
    }
  }
}

Moments moments_of(std::span<const double> sums, double count) {
  const auto units = static_cast<Index>(sums.size() / 2);
  const auto means = Eigen::Map<const Vector<double>>(sums.data(), 2 * units) / count;
  const Vector<double> mean = means.head(units);
  return {mean, (means.tail(units).array() - mean.array().square()).max(0.0)};
}

template <typename T>
void normalize_rows(const Vector<T>& mean, const Vector<T>& scale, MatrixRef<T> z) {
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < z.cols(); ++j) {
    z.col(j).array() = (z.col(j) - mean).array() * scale.array();
  }
}

template <typename T>
void backpropagate_rows(const ConstMatrixRef<T>& normalized, const Vector<T>& scale,
                        std::span<const double> sums, double count, MatrixRef<T> delta) {
  const Index units = delta.rows();
  const auto means = Eigen::Map<const Vector<double>>(sums.data(), 2 * units) / count;
  const Vector<T> mean = means.head(units).template cast<T>();
  const Vector<T> correlation = means.tail(units).template cast<T>();
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < delta.cols(); ++j) {
    delta.col(j).array() =
        (delta.col(j).array() - mean.array() - normalized.col(j).array() * correlation.array()) *
        scale.array();
  }
}

template <typename T>
void normalize_columns(MatrixRef<T> z, Vector<T>& scale) {
  scale.resize(z.cols());
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < z.cols(); ++j) {
    z.col(j).array() -= z.col(j).mean();
    scale[j] = T(1) / std::sqrt(z.col(j).squaredNorm() / static_cast<T>(z.rows()) +
                                static_cast<T>(kNormalizationEpsilon));
    z.col(j) *= scale[j];
  }
}

template <typename T>
void backpropagate_columns(const ConstMatrixRef<T>& normalized, const Vector<T>& scale,
                           MatrixRef<T> delta) {
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < delta.cols(); ++j) {
    const T mean = delta.col(j).mean();
    const T correlation = delta.col(j).dot(normalized.col(j)) / static_cast<T>(delta.rows());
    delta.col(j).array() =
        (delta.col(j).array() - mean - normalized.col(j).array() * correlation) * scale[j];
  }
}

#define SAE_INSTANTIATE(T)                                                            \
  template void add_row_sums<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,   \
                                std::span<double>);                                   \
  template void normalize_rows<T>(const Vector<T>&, const Vector<T>&, MatrixRef<T>);  \
  template void backpropagate_rows<T>(const ConstMatrixRef<T>&, const Vector<T>&,     \
                                      std::span<const double>, double, MatrixRef<T>); \
  template void normalize_columns<T>(MatrixRef<T>, Vector<T>&);                       \
  template void backpropagate_columns<T>(const ConstMatrixRef<T>&, const Vector<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
#undef SAE_INSTANTIATE

}  // namespace sae
