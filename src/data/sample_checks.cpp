#include "sample_checks.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>

#include "sae/core/error.hpp"

namespace sae {

void check_pixels(std::span<const std::byte> pixels, Index features, Index first_sample,
                  const std::string& location) {
  const auto count = static_cast<Index>(pixels.size() / sizeof(float));
  for (Index i = 0; i < count; ++i) {
    float value = 0;
    std::memcpy(&value, pixels.data() + static_cast<std::size_t>(i) * sizeof(float), sizeof(float));
    if (!(value >= 0 && value <= 1)) {  // Also true for NaN.
      throw DataError(fmt::format("Cannot use {}: pixel {} of sample {} is {}, not within [0, 1].",
                                  location, i % features, first_sample + i / features, value));
    }
  }
}

void check_labels(std::span<const std::int64_t> labels, Index classes, Index first_sample,
                  const std::string& location) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      // Larger unsigned numbers are read as this one.
      const bool at_least = labels[i] == std::numeric_limits<std::int64_t>::max();
      throw DataError(fmt::format(
          "Cannot use {}: the label of sample {} is {}{}, not within [0, {}).", location,
          first_sample + static_cast<Index>(i), labels[i], at_least ? " or more" : "", classes));
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
