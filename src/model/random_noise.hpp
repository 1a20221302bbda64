#pragma once

#include <algorithm>
#include <cassert>
#include <span>
#include <vector>

#include "sae/core/random.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/model/noise.hpp"

namespace sae {

/// Calls change(from, to, words) for each sample, a column of x and `corrupted`: with its random
/// words, as many as asked for, and its values as their bits where T is bfloat16.
template <typename T, typename Change>
void change_samples(const NoiseKey& key, std::span<const std::uint32_t> samples, std::size_t words,
                    const ConstMatrixRef<T>& x, MatrixRef<T> corrupted, const Change& change) {
  assert(static_cast<Index>(samples.size()) == x.cols());
#pragma omp parallel for schedule(static)
  for (Index j = 0; j < x.cols(); ++j) {
    thread_local std::vector<std::uint32_t> drawn;
    drawn.resize(words);
    fill_with_random_words({.seed = key.seed,
                            .purpose = RandomPurpose::kNoise,
                            .stage = key.stage,
                            .epoch = key.epoch,
                            .sample = samples[static_cast<std::size_t>(j)]},
                           drawn);
    change(bits_of(x.col(j).data()), bits_of(corrupted.col(j).data()),
           std::span<const std::uint32_t>(drawn));
  }
}

/// Words below this make up a share `level`, in [0, 1], of all.
inline std::uint64_t threshold_of(double level) {
  return static_cast<std::uint64_t>(level * 4294967296.0);
}

}  // namespace sae
