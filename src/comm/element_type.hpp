#pragma once

#include <mpi.h>

#include <type_traits>

#include "sae/core/types.hpp"

namespace sae {

/// MPI's type of a float, a double or a bfloat16, which MPI takes for 16 bits.
template <typename T>
MPI_Datatype element_type() {
  if constexpr (std::is_same_v<T, float>) {
    return MPI_FLOAT;
  } else if constexpr (std::is_same_v<T, double>) {
    return MPI_DOUBLE;
  } else {
    static_assert(std::is_same_v<T, bfloat16>);
    return MPI_UINT16_T;
  }
}

}  // namespace sae
