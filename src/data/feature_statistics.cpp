#include "sae/data/feature_statistics.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace sae {
namespace {

constexpr Index kFeaturesPerGroup = 1 << 15;
constexpr Index kStatisticsBlockBytes = 1 << 20;
constexpr std::size_t kExponents = 256;  // Of float32.

/// Samples by the exponent of a feature's magnitude; the first of them counts zeros as well.
using ExponentCounts = std::array<std::uint32_t, kExponents>;

std::size_t exponent_of(float value) { return std::bit_cast<std::uint32_t>(value) >> 23 & 0xff; }

float median_of(const ExponentCounts& counts, Index zeros) {
  Index total = -zeros;
  for (const std::uint32_t count : counts) total += count;
  if (total == 0) return 0;
  Index below = -zeros;
  for (std::size_t exponent = 0; exponent < kExponents; ++exponent) {
    below += counts[exponent];
    if (2 * below < total) continue;
    return exponent == 0 ? std::numeric_limits<float>::denorm_min()
                         : std::ldexp(1.0f, static_cast<int>(exponent) - 127);
  }
  return 0;
}

/// The statistics of some features as the samples come in.
class FeatureGroup {
 public:
  explicit FeatureGroup(Range features)
      : features_(features),
        statistics_(static_cast<std::size_t>(features.size()),
                    {.least = std::numeric_limits<float>::infinity(),
                     .most = -std::numeric_limits<float>::infinity(),
                     .mean = 0,
                     .median_magnitude = 0}),
        zeros_(statistics_.size()),
        exponents_(statistics_.size()) {}

  template <typename T>
  void add(std::span<const std::byte> samples, Index features) {
    const auto row_bytes = static_cast<std::size_t>(features) * sizeof(T);
    for (std::size_t at = 0; at < samples.size(); at += row_bytes, ++count_) {
      const std::byte* next =
          samples.data() + at + static_cast<std::size_t>(features_.begin) * sizeof(T);
      for (std::size_t i = 0; i < statistics_.size(); ++i, next += sizeof(T)) {
        T stored{};
        std::memcpy(&stored, next, sizeof stored);
        const auto value = static_cast<float>(stored);
        FeatureStatistics& feature = statistics_[i];
        feature.least = std::min(feature.least, value);
        feature.most = std::max(feature.most, value);
        feature.mean += static_cast<double>(value);
        zeros_[i] += value == 0;
        ++exponents_[i][exponent_of(value)];
      }
    }
  }

  std::span<const FeatureStatistics> finish() {
    for (std::size_t i = 0; i < statistics_.size(); ++i) {
      statistics_[i].mean /= static_cast<double>(count_);
      statistics_[i].median_magnitude = median_of(exponents_[i], zeros_[i]);
    }
    return statistics_;
  }

 private:
  Range features_;
  std::vector<FeatureStatistics> statistics_;
  std::vector<Index> zeros_;
  std::vector<ExponentCounts> exponents_;
  Index count_ = 0;
};

}  // namespace

bool FeatureStatistics::has_outlier(float factor) const {
  return std::max(std::abs(least), std::abs(most)) / factor > median_magnitude &&
         median_magnitude > 0;
}

void for_each_feature_group(
    const DatasetFile& file, Split split,
    const std::function<void(Index, std::span<const FeatureStatistics>)>& action) {
  const DatasetInfo& info = file.info();
  const Index samples = info.count(split);
  const Index rows =
      std::max<Index>(kStatisticsBlockBytes / static_cast<Index>(info.bytes_per_sample()), 1);
  std::vector<std::byte> block;
  for (Index first = 0; first < info.features; first += kFeaturesPerGroup) {
    FeatureGroup group({first, std::min(first + kFeaturesPerGroup, info.features)});
    for (Index begin = 0; begin < samples; begin += rows) {
      const Range range{begin, std::min(begin + rows, samples)};
      block.resize(static_cast<std::size_t>(range.size()) * info.bytes_per_sample());
      file.read_images(split, range, block);
      if (info.pixel_type == PixelType::kUint8) {
        group.add<std::uint8_t>(block, info.features);
      } else {
        group.add<float>(block, info.features);
      }
    }
    action(first, group.finish());
  }
}

}  // namespace sae
