#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/shard.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// A sample with its prediction, or with its reconstruction error.
struct HardSample {
  Index sample = 0;           ///< Within its set.
  Index label = 0;            ///< -1 if it has none.
  Index predicted = 0;        ///< -1 if nothing is classified.
  double loss = 0;            ///< -log p(label), in nats; or the squared error per feature.
  double confidence = 0;      ///< p(predicted), in [0, 1]; 0 if nothing is classified.
  std::vector<float> pixels;  ///< The inputs; empty if there are more than kMostPixels.
};

/// Collects the samples of a sharded set that have the largest losses.
class HardSamples {
 public:
  static constexpr Index kMostPixels = 65536;  ///< Larger samples are returned without pixels.

  explicit HardSamples(Index keep) : keep_(keep) {}

  /// Adds those consecutive samples from `first` on that have a label. `logits` has shape (classes,
  /// samples). Local.
  void add(Index first, std::span<const std::uint16_t> labels, const ConstMatrixRef<float>& logits);
  /// Adds consecutive samples from `first` on with their reconstruction errors. Local.
  void add(Index first, std::span<const float> errors);

  /// Returns the samples of all ranks by falling loss on rank 0, nothing elsewhere. Orders losses
  /// that differ only by rounding by sample, so that any number of ranks gives the same order.
  /// Collective.
  std::vector<HardSample> gather(const Shard& shard, Communicator& comm) const;

 private:
  struct Scored {
    std::int64_t sample = 0;
    std::int32_t label = 0;
    std::int32_t predicted = 0;
    double loss = 0;
    double confidence = 0;
    bool operator<(const Scored& other) const;
  };
  static void keep_first(std::vector<Scored>& samples, Index count);

  Index keep_;
  std::vector<Scored> hardest_;  ///< Sorted.
};

}  // namespace sae
