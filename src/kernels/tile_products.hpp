#pragma once

#include "sae/kernels/products.hpp"

namespace sae {

// Products of bfloat16 by AMX, whose instructions multiply tiles of 16 rows of 64 bytes. What a
// library must do for any product, the products of a training step do not need: weights, which
// change with every step, are brought into the order of tiles while they are multiplied.

/// Whether this processor has AMX and the process may use it; then all three multiply.
bool by_tiles();

template <typename R>
void multiply_by_tiles(const ConstMatrixRef<bfloat16>& w, const ConstMatrixRef<bfloat16>& x,
                       ResultRef<R> result);
template <typename R>
void multiply_transposed_by_tiles(const ConstMatrixRef<bfloat16>& w,
                                  const ConstMatrixRef<bfloat16>& y, ResultRef<R> result);
template <typename R>
void multiply_outer_by_tiles(const ConstMatrixRef<bfloat16>& y, const ConstMatrixRef<bfloat16>& x,
                             ResultRef<R> result);

}  // namespace sae
