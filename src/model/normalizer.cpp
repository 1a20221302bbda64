#include "sae/model/normalizer.hpp"

namespace sae {

template <typename T>
std::span<double> Normalizer<T>::sums_of(std::size_t group, Index units) {
  const auto size = static_cast<std::size_t>(2 * units);
  return std::span(sums_).subspan(group * size, size);
}

template <typename T>
void Normalizer<T>::sum_up(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& b,
                           GradientSink<T>& sums) {
  const Index units = a.rows();
  sums_.assign(groups_.size() * static_cast<std::size_t>(2 * units), 0.0);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Range columns = groups_[g].columns;
    add_row_sums<T>(a.middleCols(columns.begin, columns.size()),
                    b.middleCols(columns.begin, columns.size()), sums_of(g, units));
  }
  sums.sum_over_minibatch(sums_);
}

template <typename T>
void Normalizer<T>::normalize(Normalization kind, const SampleGroups& groups, MatrixRef<T> z,
                              GradientSink<T>& sums) {
  kind_ = kind;
  groups_ = groups;
  scales_.resize(groups_.size());
  if (kind_ == Normalization::kNone) return;
  if (kind_ == Normalization::kLayer) return normalize_columns<T>(z, scales_[0]);
  sum_up(z, z, sums);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const auto [mean, variance] = moments_of(sums_of(g, z.rows()), groups_[g].global_count);
    scales_[g] = (variance.array() + kNormalizationEpsilon).rsqrt().matrix().template cast<T>();
    normalize_rows<T>(mean.template cast<T>(), scales_[g],
                      z.middleCols(groups_[g].columns.begin, groups_[g].columns.size()));
  }
}

template <typename T>
void Normalizer<T>::backpropagate(const ConstMatrixRef<T>& normalized, MatrixRef<T> delta,
                                  GradientSink<T>& sums) {
  if (kind_ == Normalization::kNone) return;
  if (kind_ == Normalization::kLayer) {
    return backpropagate_columns<T>(normalized, scales_[0], delta);
  }
  sum_up(delta, normalized, sums);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const Range columns = groups_[g].columns;
    backpropagate_rows<T>(normalized.middleCols(columns.begin, columns.size()), scales_[g],
                          sums_of(g, delta.rows()), groups_[g].global_count,
                          delta.middleCols(columns.begin, columns.size()));
  }
}

template class Normalizer<float>;
template class Normalizer<double>;

}  // namespace sae
