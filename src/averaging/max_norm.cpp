#include "max_norm.hpp"

#include <algorithm>
#include <cmath>

#include "sae/kernels/bfloat16.hpp"

namespace sae {

MaxNorm::MaxNorm(const ParameterLayout& layout, double norm) : layout_(layout), norm_(norm) {
  if (!limits()) return;
  std::size_t units = 0;
  for (const LayerSpec& layer : layout.topology().hidden) {
    units += static_cast<std::size_t>(layer.units);
  }
  rows_.resize(units);
}

template <typename Action>
void MaxNorm::for_weights_in(const std::vector<Range>& buckets, const Action& action) const {
  Index first_row = 0;
  for (Index layer = 0; layer < layout_.topology().hidden_layers(); ++layer) {
    const ParameterView& weights = layout_.hidden(layer).weights;
    for (const Range bucket : buckets) {
      const Index begin = std::max(bucket.begin, weights.offset);
      const Index end = std::min(bucket.end, weights.offset + weights.size());
      Index row = begin < end ? (begin - weights.offset) % weights.rows : 0;
      for (Index i = begin; i < end; ++i) {
        action(static_cast<std::size_t>(first_row + row), static_cast<std::size_t>(i));
        if (++row == weights.rows) row = 0;
      }
    }
    first_row += weights.rows;
  }
}

void MaxNorm::apply(const std::vector<Range>& buckets, const UpdatedVectors& vectors,
                    GradientSum& sum) {
  std::ranges::fill(rows_, 0.0);
  for_weights_in(buckets, [&](std::size_t row, std::size_t i) {
    const auto weight = static_cast<double>(vectors.parameters[i]);
    rows_[row] += weight * weight;
  });
  sum.allreduce_over_owners(rows_);
  for (double& row : rows_) row = row > norm_ * norm_ ? norm_ / std::sqrt(row) : 1.0;
  for_weights_in(buckets, [&](std::size_t row, std::size_t i) {
    if (rows_[row] < 1) vectors.parameters[i] *= static_cast<float>(rows_[row]);
  });
  if (vectors.rounded.empty()) return;
  for (const Range bucket : buckets) {
    round_to_bfloat16(within(vectors.parameters, bucket), within(vectors.rounded, bucket));
  }
}

}  // namespace sae
