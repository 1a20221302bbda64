#include "sae/kernels/combinator.hpp"

#include <algorithm>
#include <array>

#include "row_blocks.hpp"

namespace sae {
namespace {

constexpr Index kLanes = 16;  // Units at a time, whose parameters and sums stay in registers.

template <typename T>
using Lanes = Eigen::Array<T, kLanes, 1>;

template <typename T>
Lanes<T> read_lanes(const T* from, Index units) {
  if (units == kLanes) return Eigen::Map<const Lanes<T>>(from);
  Lanes<T> lanes = Lanes<T>::Zero();
  std::copy_n(from, units, lanes.data());
  return lanes;
}

template <typename T>
void write_lanes(const Lanes<T>& lanes, T* to, Index units) {
  if (units == kLanes) {
    Eigen::Map<Lanes<T>> all(to);
    all = lanes;
  } else {
    std::copy_n(lanes.data(), units, to);
  }
}

/// The ten parameters, counted from 1 as in the formula, of the units from `first` on.
template <typename T>
class Parameters {
 public:
  Parameters(const ConstMatrixRef<T>& a, Index first, Index units) {
    for (Index k = 0; k < kCombinatorParameters; ++k) {
      a_[static_cast<std::size_t>(k)] = read_lanes(a.col(k).data() + first, units);
    }
  }
  const Lanes<T>& operator()(std::size_t k) const { return a_[k - 1]; }

 private:
  std::array<Lanes<T>, kCombinatorParameters> a_;
};

constexpr Index kColumns = 8;  // At a time, so that few pages are in use.

/// Calls use(first, units, columns) for the units of each group of lanes and a few columns, by all
/// threads; one of them has all columns of a unit, in their order.
template <typename Use>
void for_each_tile(Index units, Index samples, const Use& use) {
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < row_blocks(units); ++block) {
    const Range rows = rows_of_block(block, units);
    for (Index j = 0; j < samples; j += kColumns) {
      const Range columns{j, std::min(j + kColumns, samples)};
      for (Index i = rows.begin; i < rows.end; i += kLanes) {
        use(i, std::min(kLanes, rows.end - i), columns);
      }
    }
  }
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
  for_each_tile(u.rows(), u.cols(), [&](Index first, Index units, Range columns) {
    const Parameters<T> p(a, first, units);
    for (Index j = columns.begin; j < columns.end; ++j) {
      const Lanes<T> x = read_lanes(u.col(j).data() + first, units);
      const Lanes<T> mu = p(1) * (p(2) * x + p(3)).logistic() + p(4) * x + p(5);
      const Lanes<T> v = p(6) * (p(7) * x + p(8)).logistic() + p(9) * x + p(10);
      const Lanes<T> noisy = read_lanes(z.col(j).data() + first, units);
      write_lanes<T>((noisy - mu) * v + mu, combined.col(j).data() + first, units);
    }
  });
}

template <typename T>
void backpropagate_combinator(const ConstMatrixRef<T>& a, const ConstMatrixRef<T>& z,
                              const ConstMatrixRef<T>& u, MatrixRef<T> delta, MatrixRef<T> z_delta,
                              MatrixRef<T> a_gradient) {
  a_gradient.setZero();
  for_each_tile(u.rows(), u.cols(), [&](Index first, Index units, Range columns) {
    const Parameters<T> p(a, first, units);
    std::array<Lanes<T>, kCombinatorParameters> sums;
    for (Index k = 0; k < kCombinatorParameters; ++k) {
      sums[static_cast<std::size_t>(k)] = read_lanes<T>(a_gradient.col(k).data() + first, units);
    }
    for (Index j = columns.begin; j < columns.end; ++j) {
      const Lanes<T> x = read_lanes(u.col(j).data() + first, units);
      const Lanes<T> d = read_lanes(delta.col(j).data() + first, units);
      const Lanes<T> noisy = read_lanes(z.col(j).data() + first, units);
      const Lanes<T> s1 = (p(2) * x + p(3)).logistic();
      const Lanes<T> s2 = (p(7) * x + p(8)).logistic();
      const Lanes<T> v = p(6) * s2 + p(9) * x + p(10);
      write_lanes<T>(d * v, z_delta.col(j).data() + first, units);
      const Lanes<T> d_mu = d - d * v;
      const Lanes<T> d_v = d * (noisy - p(1) * s1 - p(4) * x - p(5));
      const Lanes<T> t1 = d_mu * p(1) * s1 * (T(1) - s1);
      const Lanes<T> t2 = d_v * p(6) * s2 * (T(1) - s2);
      sums[0] += d_mu * s1;
      sums[1] += t1 * x;
      sums[2] += t1;
      sums[3] += d_mu * x;
      sums[4] += d_mu;
      sums[5] += d_v * s2;
      sums[6] += t2 * x;
      sums[7] += t2;
      sums[8] += d_v * x;
      sums[9] += d_v;
      write_lanes<T>(t1 * p(2) + d_mu * p(4) + t2 * p(7) + d_v * p(9), delta.col(j).data() + first,
                     units);
    }
    for (Index k = 0; k < kCombinatorParameters; ++k) {
      write_lanes<T>(sums[static_cast<std::size_t>(k)], a_gradient.col(k).data() + first, units);
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
