#include "preview.hpp"

#include <algorithm>
#include <numeric>

namespace sae {

Minibatch<float> first_samples(const Shard& shard, Index count, Communicator& comm) {
  constexpr Index kMostPixels = Index{1} << 20;  // Of all samples together.
  const Index features = shard.format().features;
  count = std::min({count, shard.set_size(), kMostPixels / std::max<Index>(features, 1)});
  const Range own{std::min(shard.samples().begin, count), std::min(shard.samples().end, count)};
  std::string records;
  if (own.size() > 0) {
    const auto bytes = shard.records(own);
    records.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::string all;
  for (const std::string& part : comm.allgather(records)) all += part;

  Minibatch<float> result;
  const auto bytes = std::as_bytes(std::span(all));
  result.inputs = decode_pixels(shard.format(), bytes);
  result.labels = decode_labels(shard.format(), bytes);
  result.global_size = count;
  result.samples.resize(static_cast<std::size_t>(count));
  std::iota(result.samples.begin(), result.samples.end(), 0u);
  return result;
}

}  // namespace sae
