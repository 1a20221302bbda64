#pragma once

#include <algorithm>

#include "sae/kernels/products.hpp"
#include "sae/model/gradient_sink.hpp"
#include "sae/model/parameter_layout.hpp"

namespace sae {

/// Columns of weights whose gradient is one bucket: about half a million elements, which stay in
/// the last cache until they are used; a product for fewer is slower. Buckets are equal, if that is
/// possible.
inline Index bucket_columns(const ParameterView& weights) {
  constexpr Index kElements = Index{1} << 19;
  constexpr Index kFewest = 32;
  const auto rounded_up = [](Index a, Index b) { return (a + b - 1) / b; };
  const Index buckets = rounded_up(weights.cols, std::max(kElements / weights.rows, kFewest));
  return rounded_up(weights.cols, buckets);
}

/// Elements of the largest bucket of any gradient.
inline Index largest_bucket(const ParameterLayout& layout) {
  Index largest = 0;
  for (const ParameterView& view : layout.views()) {
    largest = std::max(largest, view.rows * (view.is_weights ? bucket_columns(view) : 1));
  }
  return largest;
}

/// Gives the gradient y (outputs, samples) * transpose of x (inputs, samples) of weights.
template <typename G, typename T>
void give_outer_product(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x,
                        const ParameterView& weights, GradientSink<Master<T>>& sink) {
  const Index columns = bucket_columns(weights);
  for (Index begin = 0; begin < weights.cols; begin += columns) {
    const Index count = std::min(columns, weights.cols - begin);
    const Range bucket{weights.offset + begin * weights.rows,
                       weights.offset + (begin + count) * weights.rows};
    const auto memory = elements_of<G>(sink.memory(bucket));
    multiply_outer<T, G>(y, x.middleRows(begin, count),
                         MatrixMap<G>(memory.data(), weights.rows, count));
    sink.ready(bucket);
  }
}

/// Gives the gradient of a bias, or of another array, column by column.
template <typename G, typename M>
void give_vector(const Vector<M>& values, const ParameterView& bias, GradientSink<M>& sink) {
  const Range bucket{bias.offset, bias.offset + bias.size()};
  if (bucket.size() == 0) return;
  const auto memory = elements_of<G>(sink.memory(bucket));
  MatrixMap<G>(memory.data(), bias.size(), 1) = values.template cast<G>();
  sink.ready(bucket);
}

}  // namespace sae
