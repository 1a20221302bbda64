#include "data_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "sae/data/feature_statistics.hpp"

namespace sae {
namespace {

constexpr std::size_t kNamed = 5;  // The others are counted.

/// "a", "b" and 3 more.
std::string list_of_names(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(kNamed, names.size());
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

/// In quotes if the data set names it.
std::string quoted_name(const DatasetInfo& info, Index feature) {
  const std::string name = info.feature_name(feature);
  return info.feature_names.empty() ? name : fmt::format("'{}'", name);
}

/// Least, largest and typical magnitude of each feature of the training samples.
struct FeatureRanges {
  Vector<float> least, most, median_magnitude;
};

FeatureRanges ranges_of(const Shard& shard, Communicator& comm) {
  constexpr Index kOfMedian = 1000;  // Samples of each rank.
  const Index features = shard.format().features;
  FeatureRanges ranges{
      .least = Vector<float>::Constant(features, std::numeric_limits<float>::max()),
      .most = Vector<float>::Constant(features, std::numeric_limits<float>::lowest()),
      .median_magnitude = Vector<float>::Zero(features)};
  const Index every = std::max<Index>(shard.samples().size() / kOfMedian, 1);
  std::vector<Vector<float>> some;
  Vector<float> x(features);
  for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
    decode_pixels(shard.format(), shard.record(sample),
                  {x.data(), static_cast<std::size_t>(features)});
    ranges.least = ranges.least.cwiseMin(x);
    ranges.most = ranges.most.cwiseMax(x);
    if ((sample - shard.samples().begin) % every == 0) some.push_back(x.cwiseAbs());
  }
  std::vector<float> column(some.size());
  for (Index feature = 0; feature < features && !some.empty(); ++feature) {
    std::ranges::transform(some, column.begin(), [&](const auto& of) { return of[feature]; });
    const auto middle = column.begin() + std::ssize(column) / 2;
    std::ranges::nth_element(column, middle);
    ranges.median_magnitude[feature] = *middle;
  }
  const auto combine = [&](Vector<float>& own, const auto& function) {
    const auto all = comm.allgather_values(
        std::span<const float>(own.data(), static_cast<std::size_t>(features)));
    for (std::size_t begin = 0; begin < all.size(); begin += static_cast<std::size_t>(features)) {
      own = function(own, Eigen::Map<const Vector<float>>(all.data() + begin, features)).eval();
    }
  };
  combine(ranges.least, [](const auto& a, const auto& b) { return a.cwiseMin(b); });
  combine(ranges.most, [](const auto& a, const auto& b) { return a.cwiseMax(b); });
  combine(ranges.median_magnitude, [](const auto& a, const auto& b) { return a.cwiseMax(b); });
  return ranges;
}

void warn_of_features(const RunData& data, Communicator& comm, std::vector<std::string>& warnings) {
  const FeatureRanges ranges = ranges_of(data.training, comm);
  std::vector<std::string> constant;
  std::vector<std::string> far;
  for (Index feature = 0; feature < data.info.features; ++feature) {
    const FeatureStatistics of{.least = ranges.least[feature],
                               .most = ranges.most[feature],
                               .median_magnitude = ranges.median_magnitude[feature]};
    if (of.is_constant()) constant.push_back(quoted_name(data.info, feature));
    if (of.has_outlier(kOutlierFactor)) {
      far.push_back(
          fmt::format("{} ({:.3g}, where half are below {:.3g})", quoted_name(data.info, feature),
                      std::max(std::abs(of.least), std::abs(of.most)), of.median_magnitude));
    }
  }
  if (!constant.empty()) {
    warnings.push_back(fmt::format("{} the same value in all training samples: {}.",
                                   constant.size() == 1 ? "A feature has" : "Some features have",
                                   list_of_names(constant)));
  }
  if (!far.empty()) {
    warnings.push_back(fmt::format(
        "Outliers that will dominate scaling and loss: {}; --scale rank-gauss is robust "
        "against them.",
        list_of_names(far)));
  }
}

void warn_of_classes(const RunData& data, Communicator& comm, std::vector<std::string>& warnings) {
  constexpr Index kFew = 10;
  const Index classes = data.info.classes;
  const auto trained = class_counts(data.shard_for(true), classes, comm);
  const auto validated = class_counts(data.validation, classes, comm);
  std::vector<std::string> few;
  std::vector<std::string> unseen;
  for (std::size_t c = 0; c < trained.size(); ++c) {
    const std::string name =
        data.info.class_names.empty() ? fmt::format("{}", c) : data.info.class_names[c];
    if (trained[c] < kFew) few.push_back(fmt::format("{} ({})", name, trained[c]));
    if (trained[c] > 0 && validated[c] == 0) unseen.push_back(name);
  }
  if (!few.empty()) {
    warnings.push_back(fmt::format("Classes with fewer than {} labelled training samples: {}.",
                                   kFew, list_of_names(few)));
  }
  if (!unseen.empty() && data.validation.set_size() > 0) {
    warnings.push_back(
        fmt::format("The validation set has no sample of class {}.", list_of_names(unseen)));
  }
}

void warn_of_dark_bytes(const RunData& data, Communicator& comm,
                        std::vector<std::string>& warnings) {
  constexpr std::byte kBright{128};
  const Shard& shard = data.training;
  std::byte own{0};
  // Up to the first that is bright, which most sets have in their first sample.
  for (Index sample = shard.samples().begin; sample < shard.samples().end && own < kBright;
       ++sample) {
    own = std::max(own, std::ranges::max(shard.record(sample).first(shard.format().pixel_bytes())));
  }
  const auto of_ranks = comm.allgather_values(std::span<const std::byte>(&own, 1));
  const std::byte most = std::ranges::max(of_ranks);
  if (most == std::byte{0} || most >= kBright) return;
  warnings.push_back(fmt::format(
      "The largest byte of the training samples is {}: divided by 255, inputs are at most {:.3g}. "
      "--scale min-max spreads them from 0 to 1.",
      std::to_integer<int>(most), std::to_integer<int>(most) / 255.0));
}

}  // namespace

std::vector<std::string> data_warnings(const RunData& data, bool classifies, bool scaled,
                                       Communicator& comm) {
  std::vector<std::string> warnings;
  // Of bytes, a constant feature is the border of an image.
  if (data.info.pixel_type == PixelType::kFloat32) {
    warn_of_features(data, comm, warnings);
  } else if (!scaled) {
    warn_of_dark_bytes(data, comm, warnings);
  }
  if (classifies) warn_of_classes(data, comm, warnings);
  return warnings;
}

}  // namespace sae
