#include "preview.hpp"

#include <algorithm>

namespace sae {

Minibatch<float> first_samples(const Shard& shard, Index count, Communicator& comm) {
  constexpr Index kMostPixels = Index{1} << 20;  // Of all together.
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
  result.inputs.resize(features, count);
  result.global_size = count;
  const auto bytes = std::as_bytes(std::span(all));
  const std::size_t size = shard.format().bytes();
  for (Index sample = 0; sample < count; ++sample) {
    const auto record = bytes.subspan(static_cast<std::size_t>(sample) * size, size);
    decode_pixels(shard.format(), record,
                  {result.inputs.col(sample).data(), static_cast<std::size_t>(features)});
    result.labels.push_back(decode_label(shard.format(), record));
    result.samples.push_back(static_cast<std::uint32_t>(sample));
  }
  return result;
}

}  // namespace sae
