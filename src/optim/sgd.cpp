#include "sae/optim/sgd.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "sae/kernels/bfloat16.hpp"

namespace sae {
namespace {

constexpr std::size_t kBlock = 2048;  // Stays in the first-level cache between check and update.

/// Whether an exponent has all its bits: infinity or not a number.
bool has_value_not_finite(const float* g, std::size_t size) {
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(g[i]);
    found |= static_cast<std::uint32_t>((bits & 0x7f800000U) == 0x7f800000U);
  }
  return found != 0;
}

void update_block(float* w, const float* g, float* v, std::size_t size, const SgdStep& step) {
  if (step.momentum == 0) {
    for (std::size_t i = 0; i < size; ++i) {
      w[i] -= step.learning_rate * (step.gradient_scale * g[i] + step.weight_decay * w[i]);
    }
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      v[i] = step.momentum * v[i] + (step.gradient_scale * g[i] + step.weight_decay * w[i]);
      w[i] -= step.learning_rate * v[i];
    }
  }
}

/// The sum of the gradients over a block: `own` if there is but one, else in `buffer`.
template <typename G>
const float* sum_block(const std::vector<std::span<const G>>& gradients, std::size_t begin,
                       std::span<float> buffer) {
  if constexpr (std::is_same_v<G, float>) {
    if (gradients.size() == 1) return gradients[0].data() + begin;
    const float* first = gradients[0].data() + begin;
    const float* second = gradients[1].data() + begin;
    for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] = first[i] + second[i];
    for (std::size_t r = 2; r < gradients.size(); ++r) {
      const float* next = gradients[r].data() + begin;
      for (std::size_t i = 0; i < buffer.size(); ++i) buffer[i] += next[i];
    }
  } else {
    widen(gradients[0].subspan(begin, buffer.size()), buffer);
    for (std::size_t r = 1; r < gradients.size(); ++r) {
      add_widened(gradients[r].subspan(begin, buffer.size()), buffer);
    }
  }
  return buffer.data();
}

}  // namespace

template <typename G>
bool sgd_update(const SgdVectors& vectors, const std::vector<std::span<const G>>& gradients,
                const SgdStep& step) {
  assert(!gradients.empty() && gradients[0].size() == vectors.parameters.size());
  assert(vectors.velocity.size() == vectors.parameters.size() || step.momentum == 0);
  const std::size_t size = vectors.parameters.size();
  const auto blocks = static_cast<Index>((size + kBlock - 1) / kBlock);
  bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
  for (Index block = 0; block < blocks; ++block) {
    const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    std::array<float, kBlock> buffer;
    const std::span part(buffer.data(), std::min(kBlock, size - begin));
    const float* gradient = sum_block<G>(gradients, begin, part);
    if (has_value_not_finite(gradient, part.size())) {
      finite = false;
      continue;
    }
    float* parameters = vectors.parameters.data() + begin;
    update_block(parameters, gradient,
                 vectors.velocity.empty() ? nullptr : vectors.velocity.data() + begin, part.size(),
                 step);
    if (!vectors.rounded.empty()) {
      round_to_bfloat16({parameters, part.size()}, vectors.rounded.subspan(begin, part.size()));
    }
  }
  return finite;
}

template bool sgd_update<float>(const SgdVectors&, const std::vector<std::span<const float>>&,
                                const SgdStep&);
template bool sgd_update<bfloat16>(const SgdVectors&, const std::vector<std::span<const bfloat16>>&,
                                   const SgdStep&);

}  // namespace sae
