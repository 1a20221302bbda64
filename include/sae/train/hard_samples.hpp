#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/shard.hpp"
#include "sae/kernels/products.hpp"

namespace sae {

/// A sample and what a classifier says of it.
struct HardSample {
  Index sample = 0;  ///< Within its set.
  Index label = 0;
  Index predicted = 0;
  double loss = 0;            ///< -log p(label), in nats.
  double confidence = 0;      ///< p(predicted), in [0, 1].
  std::vector<float> pixels;  ///< In [0, 1]; empty if the samples are larger than pictures are.
};

/// The samples of a set with the largest losses, whichever ranks hold them.
class HardSamples {
 public:
  static constexpr Index kMostPixels = 65536;  ///< Larger samples come without their pixels.

  explicit HardSamples(Index keep) : keep_(keep) {}

  /// Regards samples that begin with `first`. Local. `logits` has shape (classes, samples).
  void add(Index first, std::span<const std::uint16_t> labels, const ConstMatrixRef<float>& logits);

  /// Those of all ranks, the largest loss first. Losses that differ by rounding alone are taken for
  /// equal: of those the first sample comes first, for any number of ranks.
  /// Collective: on rank 0; empty elsewhere.
  std::vector<HardSample> gather(const Shard& shard, Communicator& comm) const;

 private:
  struct Judged {
    std::int64_t sample = 0;
    std::int32_t label = 0;
    std::int32_t predicted = 0;
    double loss = 0;
    double confidence = 0;
    bool operator<(const Judged& other) const;
  };
  static void keep_first(std::vector<Judged>& samples, Index count);

  Index keep_;
  std::vector<Judged> hardest_;  ///< In order.
};

}  // namespace sae
