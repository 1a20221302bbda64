#include "sae/train/code_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "sae/core/host.hpp"
#include "sae/kernels/bfloat16.hpp"
#include "sae/model/stacked_autoencoder.hpp"

namespace sae {
namespace {

PixelType type_of_codes(Precision precision) {
  return precision == Precision::kBfloat16 ? PixelType::kBfloat16 : PixelType::kFloat32;
}

/// Why codes cannot be cached; empty if they can.
std::string_view obstacle(const Configuration& configuration) {
  if (configuration.layers.size() < 2) return "there is one hidden layer";
  if (configuration.corruption_at == CorruptionAt::kImage) return "noise passes up from the pixels";
  if (configuration.distortion.is_used()) return "images are distorted anew for each update";
  if (configuration.reproducible) return "--reproducible asks for it";
  return {};
}

/// Why a new run with kAuto does not cache codes; empty if it does. Collective.
std::string obstacle_here(double bytes, Communicator& comm) {
  constexpr double kLargestShare = 0.25;
  const auto hosts = comm.allgather(host_name());
  if (std::any_of(hosts.begin(), hosts.end(), [&](const auto& host) { return host != hosts[0]; })) {
    return "between hosts they travel slower";
  }
  std::array<double, 1> available = {static_cast<double>(available_memory())};
  comm.broadcast(std::as_writable_bytes(std::span(available)), 0);
  if (bytes <= kLargestShare * available[0]) return {};
  return fmt::format("{:.0f} MB of them are more than a quarter of the memory available",
                     bytes / 1e6);
}

template <typename T>
void encode_block(const ParameterLayout& layout, const ParametersRef<float>& parameters,
                  const Shard& shard, Range block, Shard& encoded) {
  const RecordFormat& from = shard.format();
  const RecordFormat& to = encoded.format();
  Matrix<T> inputs;
  convert<T>(decode_pixels(from, shard.records(block)), inputs);
  const Matrix<T> codes =
      encode<T>(layout, {from.encoded_layers, to.encoded_layers}, parameters, std::move(inputs));
  for (Index sample = block.begin; sample < block.end; ++sample) {
    const auto record = encoded.records({sample, sample + 1});
    const std::uint16_t label = decode_label(from, shard.record(sample));
    encode_record(to, codes.col(sample - block.begin), label, record);
  }
}

}  // namespace

double bytes_of_codes(const Configuration& configuration, Index samples) {
  std::size_t largest = 0;
  for (std::size_t layer = 0; layer + 1 < configuration.layers.size(); ++layer) {
    const RecordFormat format{.features = configuration.layers[layer].units,
                              .pixel_type = type_of_codes(precision_of(configuration))};
    largest = std::max(largest, format.bytes());
  }
  return static_cast<double>(largest) * static_cast<double>(samples);
}

CodeCaching decide_code_caching(const Configuration& configuration, Index training_samples,
                                const Configuration* resumed, Communicator& comm) {
  const double bytes = bytes_of_codes(configuration, training_samples);
  std::string why_not{obstacle(configuration)};
  std::string as_before;
  if (why_not.empty() && configuration.cache_codes == CacheCodes::kOff) {
    why_not = "--cache-codes off asks for it";
  } else if (why_not.empty() && configuration.cache_codes == CacheCodes::kAuto) {
    if (resumed == nullptr) {
      why_not = obstacle_here(bytes, comm);
    } else if (resumed->cache_codes != CacheCodes::kOn) {
      why_not = "the run began so";
    } else {
      as_before = ", as the run began";
    }
  }
  if (!why_not.empty()) {
    return {.used = false, .description = "computed in every step: " + why_not};
  }
  return {.used = true,
          .description =
              fmt::format("of finished layers kept in memory, at most {:.0f} MB on all ranks{}",
                          bytes / 1e6, as_before)};
}

Shard encode_shard(const ParameterLayout& layout, Index layers,
                   const ParametersRef<float>& parameters, Precision precision, const Shard& shard,
                   Heartbeat* heartbeat) {
  constexpr Index kBlock = 250;  // Samples per pass; bounds the memory of the activations.
  Shard encoded({.features = layout.hidden(layers - 1).weights.rows,
                 .pixel_type = type_of_codes(precision),
                 .encoded_layers = layers},
                shard.set_size(), shard.samples());
  const Range samples = shard.samples();
  for (Index begin = samples.begin; begin < samples.end; begin += kBlock) {
    const Range block{begin, std::min(begin + kBlock, samples.end)};
    if (precision == Precision::kBfloat16) {
      encode_block<bfloat16>(layout, parameters, shard, block, encoded);
    } else {
      encode_block<float>(layout, parameters, shard, block, encoded);
    }
    beat(heartbeat);
  }
  return encoded;
}

}  // namespace sae
