#include "sae/kernels/products.hpp"

#include <fmt/format.h>

namespace sae {

template <typename T>
void multiply(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& x, MatrixRef<T> result) {
  result.noalias() = w * x;
}

template <typename T>
void multiply_transposed(const ConstMatrixRef<T>& w, const ConstMatrixRef<T>& y,
                         MatrixRef<T> result) {
  result.noalias() = w.transpose() * y;
}

template <typename T>
void multiply_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, MatrixRef<T> result) {
  result.noalias() = y * x.transpose();
}

template <typename T>
void add_outer(const ConstMatrixRef<T>& y, const ConstMatrixRef<T>& x, MatrixRef<T> result) {
  result.noalias() += y * x.transpose();
}

std::string kernel_description() {
  return fmt::format("Eigen {}.{}.{} ({})", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                     EIGEN_MINOR_VERSION, Eigen::SimdInstructionSetsInUse());
}

#define SAE_INSTANTIATE(T)                                                                     \
  template void multiply<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&, MatrixRef<T>); \
  template void multiply_transposed<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,     \
                                       MatrixRef<T>);                                          \
  template void multiply_outer<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,          \
                                  MatrixRef<T>);                                               \
  template void add_outer<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&, MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
#undef SAE_INSTANTIATE

}  // namespace sae
