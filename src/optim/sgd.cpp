// Stochastic gradient descent with momentum (Polyak), in one pass over memory:
//   g = sum of the gradients;
//   v = momentum v + gradient_scale g + weight_decay w;  w = w - learning_rate v.
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "sae/kernels/bfloat16.hpp"
#include "sae/optim/optimizer.hpp"

namespace sae {
namespace {

constexpr std::size_t kBlock = 2048;  // Elements that a thread takes at a time.

/// The step, with the momentum of the optimizer.
struct SgdStep {
  float learning_rate;
  float momentum;
  float weight_decay;
  float gradient_scale;
};

/// Parts of the vectors of an update.
struct Block {
  float* parameters;
  float* velocity;         // Null without momentum,
  std::uint16_t* rounded;  // and where there is no bfloat16 copy.
  std::size_t size;
};

/// gradient(i) is that of element i. Returns whether all are finite; the element of one that is
/// not stays as it is.
template <bool HasMomentum, bool HasRounded, typename Gradient>
bool update_block(const Block& block, const SgdStep& given, const Gradient& gradient) {
  const SgdStep step = given;
  const Block at = block;
  std::uint32_t faults = 0;
#pragma omp simd reduction(| : faults)
  for (std::size_t i = 0; i < at.size; ++i) {
    const float g = gradient(i);
    // All bits of the exponent: infinity or not a number.
    const bool finite = (std::bit_cast<std::uint32_t>(g) & 0x7f800000U) != 0x7f800000U;
    faults |= static_cast<std::uint32_t>(!finite);
    const float w = at.parameters[i];
    float direction = step.gradient_scale * g + step.weight_decay * w;
    if constexpr (HasMomentum) {
      const float v = at.velocity[i];
      direction += step.momentum * v;
      at.velocity[i] = finite ? direction : v;
    }
    const float updated = finite ? w - step.learning_rate * direction : w;
    at.parameters[i] = updated;
    if constexpr (HasRounded) at.rounded[i] = rounded_bits(updated);
  }
  return faults == 0;
}

template <typename Gradient>
bool update(const Block& block, const SgdStep& step, const Gradient& gradient) {
  const bool momentum = step.momentum != 0;
  if (block.rounded == nullptr) {
    return momentum ? update_block<true, false>(block, step, gradient)
                    : update_block<false, false>(block, step, gradient);
  }
  return momentum ? update_block<true, true>(block, step, gradient)
                  : update_block<false, true>(block, step, gradient);
}

/// Updates by the sum of the elements of the gradients from `begin` on.
template <typename G>
bool update_by_gradients(const Block& block, const SgdStep& step,
                         const std::vector<std::span<const G>>& gradients, std::size_t begin) {
  const auto* first = bits_of(gradients[0].data() + begin);
  if (gradients.size() == 1) {
    return update(block, step, [first](std::size_t i) { return widened(first[i]); });
  }
  const auto* second = bits_of(gradients[1].data() + begin);
  const auto sum_of_two = [first, second](std::size_t i) {
    return widened(first[i]) + widened(second[i]);
  };
  if (gradients.size() == 2) return update(block, step, sum_of_two);
  std::array<float, kBlock> sum;
  for (std::size_t i = 0; i < block.size; ++i) sum[i] = sum_of_two(i);
  for (std::size_t r = 2; r < gradients.size(); ++r) {
    const auto* next = bits_of(gradients[r].data() + begin);
    for (std::size_t i = 0; i < block.size; ++i) sum[i] += widened(next[i]);
  }
  return update(block, step, [&sum](std::size_t i) { return sum[i]; });
}

template <typename G>
bool update_in_blocks(const UpdatedVectors& vectors,
                      const std::vector<std::span<const G>>& gradients, const SgdStep& step) {
  assert(!gradients.empty() && gradients[0].size() == vectors.parameters.size());
  float* const velocity = vectors.slots.empty() ? nullptr : vectors.slots[0].data();
  const std::size_t size = vectors.parameters.size();
  const auto blocks = static_cast<Index>((size + kBlock - 1) / kBlock);
  bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
  for (Index block = 0; block < blocks; ++block) {
    const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    const Block part{
        .parameters = vectors.parameters.data() + begin,
        .velocity = velocity == nullptr ? nullptr : velocity + begin,
        .rounded = vectors.rounded.empty() ? nullptr : bits_of(vectors.rounded.data() + begin),
        .size = std::min(kBlock, size - begin)};
    finite &= update_by_gradients<G>(part, step, gradients, begin);
  }
  return finite;
}

class Sgd final : public Optimizer {
 public:
  explicit Sgd(double momentum) : momentum_(static_cast<float>(momentum)) {}

  std::vector<std::string> slots() const override {
    return momentum_ > 0 ? std::vector<std::string>{"velocity"} : std::vector<std::string>{};
  }
  bool update(const UpdatedVectors& vectors, const std::vector<std::span<const float>>& gradients,
              const OptimizerStep& step) const override {
    return update_in_blocks(vectors, gradients, with_momentum(step));
  }
  bool update(const UpdatedVectors& vectors,
              const std::vector<std::span<const bfloat16>>& gradients,
              const OptimizerStep& step) const override {
    return update_in_blocks(vectors, gradients, with_momentum(step));
  }

 private:
  SgdStep with_momentum(const OptimizerStep& step) const {
    return {step.learning_rate, momentum_, step.weight_decay, step.gradient_scale};
  }

  float momentum_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimizerSettings& settings) {
  return std::make_unique<Sgd>(settings.momentum);
}

}  // namespace sae
