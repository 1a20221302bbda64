#pragma once

#include <vector>

#include "gradient_sum.hpp"
#include "sae/model/parameter_layout.hpp"
#include "sae/optim/optimizer.hpp"

namespace sae {

/// After each update, scales the incoming weights of a hidden unit, a row of its layer's matrix,
/// down to a norm if they are longer: Srivastava et al., 'Dropout', JMLR 15, 2014, section 5.1.
class MaxNorm {
 public:
  /// 0: any norm. The layout must outlive it.
  MaxNorm(const ParameterLayout& layout, double norm);

  bool limits() const { return norm_ > 0; }
  /// Scales what this rank has updated, the buckets, in parameters and their bfloat16 copy.
  /// Collective.
  void apply(const std::vector<Range>& buckets, const UpdatedVectors& vectors, GradientSum& sum);

 private:
  /// Calls action(row, index) for each weight of a hidden layer in the buckets: its row among the
  /// units of all layers, its index in the flat vector.
  template <typename Action>
  void for_weights_in(const std::vector<Range>& buckets, const Action& action) const;

  const ParameterLayout& layout_;
  double norm_;
  std::vector<double> rows_;  // Squared norms, then factors, of the units of all hidden layers.
};

}  // namespace sae
