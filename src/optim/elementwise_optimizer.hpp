#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sae/kernels/bfloat16.hpp"
#include "sae/optim/optimizer.hpp"

// A program for several processors has each loop for several sizes of vectors, and takes the
// largest that its processor has.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__AVX2__)
#define SAE_CHOOSES_VECTORS
#endif

namespace sae {

/// a b + c, rounded once where the processor can: the same in each loop that the compiler makes of
/// it.
inline float multiply_add(float a, float b, float c) {
#ifdef __FMA__
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

/// An optimizer that updates each element by its own gradient and slots alone, in one pass over
/// memory. A Formula has
///   static constexpr std::array kSlots = {"..."};  // The names of its slots.
///   float operator()(float w, float g, std::array<float, N>& slots, const OptimizerStep&) const;
/// which returns the new parameter, given the old one and the gradient of the minibatch's mean loss
/// with its penalty, and changes the slots. It may have
///   Formula at(const OptimizerStep&) const;        // Prepared for the step.
///   static constexpr bool kDecoupledDecay = true;  // No penalty: the new parameter loses
///                                                  // learning_rate weight_decay w instead.
template <typename Formula>
class ElementwiseOptimizer final : public Optimizer {
 public:
  explicit ElementwiseOptimizer(Formula formula) : formula_(formula) {}

  std::vector<std::string> slots() const override {
    return {Formula::kSlots.begin(), Formula::kSlots.end()};
  }
  bool update(const UpdatedVectors& vectors, const std::vector<std::span<const float>>& gradients,
              const OptimizerStep& step) const override {
    return update_in_blocks(vectors, gradients, step);
  }
  bool update(const UpdatedVectors& vectors,
              const std::vector<std::span<const bfloat16>>& gradients,
              const OptimizerStep& step) const override {
    return update_in_blocks(vectors, gradients, step);
  }

 private:
  static constexpr std::size_t kSlotCount = Formula::kSlots.size();
  static constexpr bool kDecoupledDecay = [] {
    if constexpr (requires { Formula::kDecoupledDecay; }) return Formula::kDecoupledDecay;
    return false;
  }();

  static Formula prepared(const Formula& formula, const OptimizerStep& step) {
    if constexpr (requires { formula.at(step); }) return formula.at(step);
    return formula;
  }

  static constexpr std::size_t kBlock = 2048;  // Elements that a thread takes at a time.

  /// Parts of the vectors of an update.
  struct Block {
    float* parameters;
    std::array<float*, kSlotCount> slots;
    std::uint16_t* rounded;  // Null where there is no bfloat16 copy.
    std::size_t size;
  };

  /// gradient(i) is that of element i. Returns whether all are finite; the element of one that is
  /// not stays as it is. Inline, to be made for the instructions of its caller.
  template <bool HasRounded, typename Gradient>
  [[gnu::always_inline]] static inline bool update_elements(const Block& block,
                                                            const Formula& given,
                                                            const OptimizerStep& step,
                                                            const Gradient& gradient) {
    const Formula formula = given;
    const Block at = block;
    const OptimizerStep fixed = step;
    const float decay = step.learning_rate * step.weight_decay;
    std::uint32_t faults = 0;
// Not omp simd: it keeps the array of slots in memory, and then nothing is a vector.
#ifndef __clang__
#pragma GCC ivdep
#endif
    for (std::size_t i = 0; i < at.size; ++i) {
      const float g = gradient(i);
      // All bits of the exponent: infinity or not a number.
      const bool finite = (std::bit_cast<std::uint32_t>(g) & 0x7f800000U) != 0x7f800000U;
      faults |= static_cast<std::uint32_t>(!finite);
      const float w = at.parameters[i];
      std::array<float, kSlotCount> slots;
      for (std::size_t slot = 0; slot < kSlotCount; ++slot) slots[slot] = at.slots[slot][i];
      float result = 0;
      if constexpr (kDecoupledDecay) {
        const float kept = multiply_add(-decay, w, w);
        result = formula(kept, fixed.gradient_scale * g, slots, fixed);
      } else {
        const float direction = multiply_add(fixed.weight_decay, w, fixed.gradient_scale * g);
        result = formula(w, direction, slots, fixed);
      }
      for (std::size_t slot = 0; slot < kSlotCount; ++slot) {
        at.slots[slot][i] = finite ? slots[slot] : at.slots[slot][i];
      }
      const float updated = finite ? result : w;
      at.parameters[i] = updated;
      if constexpr (HasRounded) at.rounded[i] = rounded_bits(updated);
    }
    return faults == 0;
  }

#ifdef SAE_CHOOSES_VECTORS
  template <bool HasRounded, typename Gradient>
  [[gnu::target("avx2,fma")]] static bool update_by_256_bits(const Block& block,
                                                             const Formula& given,
                                                             const OptimizerStep& step,
                                                             const Gradient& gradient) {
    return update_elements<HasRounded>(block, given, step, gradient);
  }
  template <bool HasRounded, typename Gradient>
  [[gnu::target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] static bool
  update_by_512_bits(const Block& block, const Formula& given, const OptimizerStep& step,
                     const Gradient& gradient) {
    return update_elements<HasRounded>(block, given, step, gradient);
  }
#endif

  template <bool HasRounded, typename Gradient>
  static bool update_block(const Block& block, const Formula& given, const OptimizerStep& step,
                           const Gradient& gradient) {
#ifdef SAE_CHOOSES_VECTORS
    static const bool has_256 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    static const bool has_512 =
        has_256 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (has_512) return update_by_512_bits<HasRounded>(block, given, step, gradient);
    if (has_256) return update_by_256_bits<HasRounded>(block, given, step, gradient);
#endif
    return update_elements<HasRounded>(block, given, step, gradient);
  }

  template <typename Gradient>
  static bool update_block(const Block& block, const Formula& formula, const OptimizerStep& step,
                           const Gradient& gradient) {
    return block.rounded == nullptr ? update_block<false>(block, formula, step, gradient)
                                    : update_block<true>(block, formula, step, gradient);
  }

  /// Updates by the sum of the elements of the gradients from `begin` on.
  template <typename G>
  static bool update_by_gradients(const Block& block, const Formula& formula,
                                  const OptimizerStep& step,
                                  const std::vector<std::span<const G>>& gradients,
                                  std::size_t begin) {
    const auto* first = bits_of(gradients[0].data() + begin);
    if (gradients.size() == 1) {
      return update_block(block, formula, step,
                          [first](std::size_t i) { return widened(first[i]); });
    }
    const auto* second = bits_of(gradients[1].data() + begin);
    const auto sum_of_two = [first, second](std::size_t i) {
      return widened(first[i]) + widened(second[i]);
    };
    if (gradients.size() == 2) return update_block(block, formula, step, sum_of_two);
    std::array<float, kBlock> sum;
    for (std::size_t i = 0; i < block.size; ++i) sum[i] = sum_of_two(i);
    for (std::size_t r = 2; r < gradients.size(); ++r) {
      const auto* next = bits_of(gradients[r].data() + begin);
      for (std::size_t i = 0; i < block.size; ++i) sum[i] += widened(next[i]);
    }
    return update_block(block, formula, step, [&sum](std::size_t i) { return sum[i]; });
  }

  template <typename G>
  bool update_in_blocks(const UpdatedVectors& vectors,
                        const std::vector<std::span<const G>>& gradients,
                        const OptimizerStep& step) const {
    assert(!gradients.empty() && gradients[0].size() == vectors.parameters.size());
    const std::size_t size = vectors.parameters.size();
    const auto blocks = static_cast<Index>((size + kBlock - 1) / kBlock);
    const Formula formula = prepared(formula_, step);
    bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
    for (Index block = 0; block < blocks; ++block) {
      const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
      Block part{
          .parameters = vectors.parameters.data() + begin,
          .slots = {},
          .rounded = vectors.rounded.empty() ? nullptr : bits_of(vectors.rounded.data() + begin),
          .size = std::min(kBlock, size - begin)};
      for (std::size_t slot = 0; slot < kSlotCount; ++slot) {
        part.slots[slot] = vectors.slots[slot].data() + begin;
      }
      finite &= update_by_gradients<G>(part, formula, step, gradients, begin);
    }
    return finite;
  }

  Formula formula_;
};

}  // namespace sae
