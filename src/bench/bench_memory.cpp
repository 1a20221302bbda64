#include <bit>
#include <cstdint>
#include <cstring>

#include "bench_measure.hpp"

namespace sae {
namespace {

constexpr std::size_t kBlock = 2048;

float widened(std::uint16_t upper_half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper_half) << 16);
}

float widened(float value) { return value; }

/// Has the memory traffic of an update with little arithmetic: reads weights, gradients and slots
/// of the optimizer; writes weights, slots and rounded weights.
template <typename G>
struct UpdateVectors {
  explicit UpdateVectors(const UpdatePass& pass)
      : weights(static_cast<std::size_t>(pass.elements), 0.5F),
        slots(static_cast<std::size_t>(pass.slots), std::vector<float>(weights.size())),
        rounded(pass.rounded_parameters ? weights.size() : 0),
        gradients(static_cast<std::size_t>(pass.gradients),
                  std::vector<G>(pass.gradient_elements > 0
                                     ? static_cast<std::size_t>(pass.gradient_elements) + kBlock
                                     : weights.size())),
        period(pass.gradient_elements > 0 ? static_cast<std::size_t>(pass.gradient_elements)
                                          : weights.size()) {}

  void run() {
    const auto blocks = static_cast<Index>((weights.size() + kBlock - 1) / kBlock);
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < blocks; ++block) {
      const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
      const std::size_t end = std::min(begin + kBlock, weights.size());
      std::array<float, kBlock> sum;
      const std::size_t at = begin % period;
      const G* first = gradients[0].data() + at;
      for (std::size_t i = 0; i < end - begin; ++i) sum[i] = widened(first[i]);
      for (std::size_t r = 1; r < gradients.size(); ++r) {
        const G* next = gradients[r].data() + at;
        for (std::size_t i = 0; i < end - begin; ++i) sum[i] += widened(next[i]);
      }
      update(begin, end, sum);
    }
  }

  void update(std::size_t begin, std::size_t end, std::array<float, kBlock>& sum) {
    float* w = weights.data();
    for (auto& slot : slots) {
      float* v = slot.data();
      for (std::size_t i = begin; i < end; ++i) {
        v[i] = 0.9F * v[i] + sum[i - begin];
        sum[i - begin] = v[i];
      }
    }
    for (std::size_t i = begin; i < end; ++i) w[i] -= 0.1F * sum[i - begin];
    if (rounded.empty()) return;
    std::uint16_t* r = rounded.data();
    for (std::size_t i = begin; i < end; ++i) {
      r[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(w[i]) >> 16);
    }
  }

  std::vector<float> weights;
  std::vector<std::vector<float>> slots;
  std::vector<std::uint16_t> rounded;
  std::vector<std::vector<G>> gradients;
  std::size_t period;  // Elements after which a gradient is read from its start again.
};

template <typename G>
double seconds_of(const UpdatePass& pass, double seconds, Communicator& comm) {
  UpdateVectors<G> vectors(pass);
  return measure(seconds, comm, [&] { vectors.run(); });
}

}  // namespace

double UpdatePass::bytes() const {
  double element = 2 * sizeof(float);
  if (gradient_elements == 0) {
    element += static_cast<double>(gradients) * (rounded_gradients ? 2 : 4);
  }
  element += static_cast<double>(2 * slots) * sizeof(float);
  if (rounded_parameters) element += 2;
  return element * static_cast<double>(elements);
}

MemoryRate measure_copy(double seconds, Communicator& comm) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  std::vector<std::byte> from(kBytes, std::byte{1});
  std::vector<std::byte> to(kBytes);
  const double each = measure(seconds, comm, [&] {
#pragma omp parallel for schedule(static)
    for (Index chunk = 0; chunk < static_cast<Index>(kBytes / kChunk); ++chunk) {
      const std::size_t begin = static_cast<std::size_t>(chunk) * kChunk;
      std::memcpy(to.data() + begin, from.data() + begin, kChunk);
    }
  });
  return {.pass = "copy", .bytes = 2.0 * kBytes, .seconds = each};
}

MemoryRate measure_update_pass(const UpdatePass& pass, double seconds, Communicator& comm) {
  const double each = pass.rounded_gradients ? seconds_of<std::uint16_t>(pass, seconds, comm)
                                             : seconds_of<float>(pass, seconds, comm);
  return {.pass = "update", .bytes = pass.bytes(), .seconds = each};
}

}  // namespace sae
