#include "sae/kernels/combinator.hpp"

#include "row_blocks.hpp"

namespace sae {
namespace {

template <typename T>
using BlockArray = Eigen::Array<T, Eigen::Dynamic, 1, 0, kRows, 1>;

/// The ten parameters, counted from 1 as in the formula, of some units.
template <typename T>
class Parameters {
 public:
  Parameters(const ConstMatrixRef<T>& a, Range rows) : a_(a), rows_(rows) {}
  auto operator()(Index k) const {
    return a_.col(k - 1).segment(rows_.begin, rows_.size()).array();
  }

 private:
  const ConstMatrixRef<T>& a_;
  Range rows_;
};

template <typename T, typename Use>
void for_each_block(Index units, const Use& use) {
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < row_blocks(units); ++block) use(rows_of_block(block, units));
}

}  // namespace

template <typename T>
void initialize_combinator(MatrixRef<T> a) {
  a.setZero();
  a.col(1).setOnes();
  a.col(6).setOnes();
}

template <typename T>
void combine(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& z, const ConstMatrixRef<T>& u,
             MatrixRef<T> combined) {
  for_each_block<T>(u.rows(), [&](Range rows) {
    const Parameters<T> p(a, rows);
    BlockArray<T> mu(rows.size());
    BlockArray<T> v(rows.size());
    for (Index j = 0; j < u.cols(); ++j) {
      const auto x = u.col(j).segment(rows.begin, rows.size()).array();
      mu = p(1) * (p(2) * x + p(3)).logistic() + p(4) * x + p(5);
      v = p(6) * (p(7) * x + p(8)).logistic() + p(9) * x + p(10);
      combined.col(j).segment(rows.begin, rows.size()).array() =
          (z.col(j).segment(rows.begin, rows.size()).array() - mu) * v + mu;
    }
  });
}

template <typename T>
void backpropagate_combinator(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& z,
                              const ConstMatrixRef<T>& u, MatrixRef<T> delta, MatrixRef<T> z_delta,
                              MatrixRef<T> a_gradient) {
  for_each_block<T>(u.rows(), [&](Range rows) {
    const Index size = rows.size();
    const Parameters<T> p(a, rows);
    BlockArray<T> s1(size);
    BlockArray<T> s2(size);
    BlockArray<T> d_mu(size);
    BlockArray<T> d_v(size);
    BlockArray<T> t1(size);
    BlockArray<T> t2(size);
    auto sums = a_gradient.middleRows(rows.begin, size).array();
    sums.setZero();
    for (Index j = 0; j < u.cols(); ++j) {
      const auto x = u.col(j).segment(rows.begin, size).array();
      auto d = delta.col(j).segment(rows.begin, size).array();
      s1 = (p(2) * x + p(3)).logistic();
      s2 = (p(7) * x + p(8)).logistic();
      t1 = p(6) * s2 + p(9) * x + p(10);  // v
      z_delta.col(j).segment(rows.begin, size).array() = d * t1;
      d_mu = d * (T(1) - t1);
      d_v = d * (z.col(j).segment(rows.begin, size).array() - p(1) * s1 - p(4) * x - p(5));
      t1 = d_mu * p(1) * s1 * (T(1) - s1);
      t2 = d_v * p(6) * s2 * (T(1) - s2);
      sums.col(0) += d_mu * s1;
      sums.col(1) += t1 * x;
      sums.col(2) += t1;
      sums.col(3) += d_mu * x;
      sums.col(4) += d_mu;
      sums.col(5) += d_v * s2;
      sums.col(6) += t2 * x;
      sums.col(7) += t2;
      sums.col(8) += d_v * x;
      sums.col(9) += d_v;
      d = t1 * p(2) + d_mu * p(4) + t2 * p(7) + d_v * p(9);
    }
  });
}

#define SAE_INSTANTIATE(T)                                                                        \
  template void initialize_combinator<T>(MatrixRef<T>);                                           \
  template void combine<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,                    \
                           const ConstMatrixRef<T>&, MatrixRef<T>);                               \
  template void backpropagate_combinator<T>(const ConstMatrixRef<T>&, const ConstMatrixRef<T>&,   \
                                            const ConstMatrixRef<T>&, MatrixRef<T>, MatrixRef<T>, \
                                            MatrixRef<T>);
SAE_INSTANTIATE(float)
SAE_INSTANTIATE(double)
#undef SAE_INSTANTIATE

}  // namespace sae
