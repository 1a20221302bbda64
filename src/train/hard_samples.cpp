#include "sae/train/hard_samples.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include "sae/kernels/elementwise.hpp"

namespace sae {

bool HardSamples::Scored::operator<(const Scored& other) const {
  const auto key = [](const Scored& j) {
    // Also maps NaN, which cannot be ordered, to 1e6.
    const double bounded = j.loss < 1e6 ? j.loss : 1e6;
    return std::tuple(-std::round(1e4 * bounded), j.sample);
  };
  return key(*this) < key(other);
}

void HardSamples::keep_first(std::vector<Scored>& samples, Index count) {
  std::sort(samples.begin(), samples.end());
  if (static_cast<Index>(samples.size()) > count) samples.resize(static_cast<std::size_t>(count));
}

void HardSamples::add(Index first, std::span<const std::uint16_t> labels,
                      const ConstMatrixRef<float>& logits) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kNoLabel) continue;
    const auto column = logits.col(static_cast<Index>(i));
    Vector<double> log_p = column.cast<double>();
    log_softmax<double>(log_p);
    hardest_.push_back({.sample = first + static_cast<Index>(i),
                        .label = labels[i],
                        .predicted = static_cast<std::int32_t>(predicted_class<float>(column)),
                        .loss = -log_p[labels[i]],
                        .confidence = std::exp(log_p.maxCoeff())});
  }
  keep_first(hardest_, keep_);
}

void HardSamples::add(Index first, std::span<const float> errors) {
  for (std::size_t i = 0; i < errors.size(); ++i) {
    hardest_.push_back({.sample = first + static_cast<Index>(i),
                        .label = -1,
                        .predicted = -1,
                        .loss = static_cast<double>(errors[i])});
  }
  keep_first(hardest_, keep_);
}

std::vector<HardSample> HardSamples::gather(const Shard& shard, Communicator& comm) const {
  auto hardest = comm.allgather_values(std::span<const Scored>(hardest_));
  keep_first(hardest, keep_);

  const RecordFormat& format = shard.format();
  const bool with_pixels = format.features <= kMostPixels;
  const Index own_end = shard.samples().end;
  const auto ends = comm.allgather_values(std::span(&own_end, 1));
  std::vector<HardSample> result;
  for (const Scored& scored : hardest) {
    const bool own = shard.samples().contains(scored.sample);
    if (!comm.is_root()) {
      if (own && with_pixels) comm.send(shard.record(scored.sample), 0);
      continue;
    }
    HardSample sample{scored.sample, scored.label,      scored.predicted,
                      scored.loss,   scored.confidence, {}};
    if (with_pixels) {
      std::vector<std::byte> record(format.bytes());
      if (own) {
        std::ranges::copy(shard.record(scored.sample), record.begin());
      } else {
        // Shards are consecutive: the owner is the first whose end is beyond the sample.
        const auto owner = std::ranges::upper_bound(ends, scored.sample);
        comm.receive(record, static_cast<int>(owner - ends.begin()));
      }
      sample.pixels.resize(static_cast<std::size_t>(format.features));
      decode_pixels(format, record, sample.pixels);
    }
    result.push_back(std::move(sample));
  }
  return result;
}

}  // namespace sae
