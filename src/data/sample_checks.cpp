#include "sample_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "sae/core/error.hpp"

namespace sae {

void check_values(std::span<const std::byte> values, const DatasetInfo& info, Index first_sample,
                  const std::string& location) {
  constexpr std::size_t kBlock = 4096;
  float block[kBlock];
  for (std::size_t begin = 0; begin < values.size(); begin += sizeof block) {
    const std::size_t bytes = std::min(sizeof block, values.size() - begin);
    std::memcpy(block, values.data() + begin, bytes);
    const std::size_t count = bytes / sizeof(float);
    float sum = 0;  // Of 0 for each finite value, else NaN.
    for (std::size_t i = 0; i < count; ++i) sum += block[i] * 0.0f;
    if (sum == 0) continue;
    const auto* bad =
        std::find_if_not(block, block + count, [](float x) { return std::isfinite(x); });
    const auto at = static_cast<Index>(begin / sizeof(float)) + (bad - block);
    const auto feature = at % info.features;
    const std::string name =
        info.feature_names.empty()
            ? ""
            : fmt::format(" ('{}')", info.feature_names[static_cast<std::size_t>(feature)]);
    throw DataError(
        fmt::format("Cannot use {}: feature {}{} of sample {} is {}, not a finite number.",
                    location, feature, name, first_sample + at / info.features, *bad));
  }
}

void check_labels(std::span<const std::int64_t> labels, Index classes, Index first_sample,
                  const std::string& location) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < -1 || labels[i] >= classes) {
      // Larger unsigned numbers are read as this one.
      const bool at_least = labels[i] == std::numeric_limits<std::int64_t>::max();
      throw DataError(fmt::format(
          "Cannot use {}: the label of sample {} is {}{}, not within [0, {}), nor -1 for none.",
          location, first_sample + static_cast<Index>(i), labels[i], at_least ? " or more" : "",
          classes));
    }
  }
}

std::string hint_of_order(const std::vector<Index>& images, const std::vector<Index>& labels) {
  const bool last_counts = labels.size() == 1 && images.size() > 1 && images.back() == labels[0];
  return last_counts ? "; its last dimension seems to count the samples, as in files of MATLAB and "
                       "Julia: the first must, so transpose it"
                     : "";
}

}  // namespace sae
