#include "event_values.hpp"

#include <array>
#include <cmath>

#include "sae/core/types.hpp"
#include "tensorboard.pb.h"

namespace sae {
namespace {

tensorboard::Summary::Value& add_value(tensorboard::Summary& summary, const std::string& tag) {
  tensorboard::Summary::Value& value = *summary.add_value();
  value.set_tag(tag);
  return value;
}

}  // namespace

void add_scalar(tensorboard::Summary& summary, const std::string& tag, double value) {
  if (!std::isfinite(value)) return;
  add_value(summary, tag).set_simple_value(static_cast<float>(value));
}

void add_histogram(tensorboard::Summary& summary, const std::string& tag,
                   std::span<const float> values) {
  constexpr std::size_t kBuckets = 64;
  const auto count = static_cast<Index>(values.size());
  if (count == 0) return;
  const auto array = Eigen::Map<const Eigen::ArrayXf>(values.data(), count);
  const float min = array.minCoeff<Eigen::PropagateNaN>();
  const float max = array.maxCoeff<Eigen::PropagateNaN>();
  if (!std::isfinite(min) || !std::isfinite(max)) return;

  // Several counters a bucket: neighbours often fall into one, and would wait for each other.
  std::array<std::array<std::uint32_t, 4>, kBuckets> counts{};
  const float scale = max > min ? static_cast<float>(kBuckets) / (max - min) : 0.0f;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bucket = static_cast<std::size_t>((values[i] - min) * scale);
    ++counts[std::min(bucket, kBuckets - 1)][i % 4];
  }
  tensorboard::Histogram& histogram = *add_value(summary, tag).mutable_histo();
  histogram.set_min(static_cast<double>(min));
  histogram.set_max(static_cast<double>(max));
  histogram.set_num(static_cast<double>(count));
  double sum = 0;
  double sum_squares = 0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    sum_squares += static_cast<double>(value) * static_cast<double>(value);
  }
  histogram.set_sum(sum);
  histogram.set_sum_squares(sum_squares);
  const double width = (static_cast<double>(max) - static_cast<double>(min)) / kBuckets;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    const auto& parts = counts[bucket];
    histogram.add_bucket(static_cast<double>(parts[0]) + parts[1] + parts[2] + parts[3]);
    histogram.add_bucket_limit(bucket + 1 == kBuckets
                                   ? static_cast<double>(max)
                                   : static_cast<double>(min) +
                                         width * static_cast<double>(bucket + 1));
  }
}

void add_image(tensorboard::Summary& summary, const std::string& tag, const GreyPicture& picture,
               const std::string& png) {
  tensorboard::Summary::Image& image = *add_value(summary, tag).mutable_image();
  image.set_height(static_cast<std::int32_t>(picture.height));
  image.set_width(static_cast<std::int32_t>(picture.width));
  image.set_colorspace(1);
  image.set_encoded_image_string(png);
}

void add_text(tensorboard::Summary& summary, const std::string& tag, const std::string& text) {
  tensorboard::Summary::Value& value = add_value(summary, tag);
  value.mutable_metadata()->mutable_plugin_data()->set_plugin_name("text");
  value.mutable_metadata()->set_data_class(tensorboard::SummaryMetadata::DATA_CLASS_TENSOR);
  value.mutable_tensor()->set_dtype(tensorboard::DT_STRING);
  value.mutable_tensor()->mutable_tensor_shape();
  value.mutable_tensor()->add_string_val(text);
}

}  // namespace sae
