#include "sae/data/shard.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "sae/kernels/bfloat16.hpp"

namespace sae {

void decode_pixels(const RecordFormat& format, std::span<const std::byte> record,
                   std::span<float> pixels) {
  assert(record.size() == format.bytes() && static_cast<Index>(pixels.size()) == format.features);
  if (format.pixel_type == PixelType::kFloat32) {
    std::memcpy(pixels.data(), record.data(), format.pixel_bytes());
    return;
  }
  if (format.pixel_type == PixelType::kBfloat16) {
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      std::uint16_t bits = 0;
      std::memcpy(&bits, record.data() + i * sizeof bits, sizeof bits);
      pixels[i] = widened(bits);
    }
    return;
  }
  std::transform(record.begin(), record.begin() + format.features, pixels.begin(),
                 [](std::byte b) { return static_cast<float>(std::to_integer<int>(b)) / 255.0f; });
}

std::uint16_t decode_label(const RecordFormat& format, std::span<const std::byte> record) {
  std::uint16_t label = 0;
  std::memcpy(&label, record.data() + format.pixel_bytes(), sizeof label);
  return label;
}

Matrix<float> decode_pixels(const RecordFormat& format, std::span<const std::byte> records) {
  Matrix<float> pixels(format.features, static_cast<Index>(records.size() / format.bytes()));
  for (Index i = 0; i < pixels.cols(); ++i) {
    decode_pixels(format,
                  records.subspan(static_cast<std::size_t>(i) * format.bytes(), format.bytes()),
                  {pixels.col(i).data(), static_cast<std::size_t>(format.features)});
  }
  return pixels;
}

std::vector<std::uint16_t> decode_labels(const RecordFormat& format,
                                         std::span<const std::byte> records) {
  std::vector<std::uint16_t> labels;
  labels.reserve(records.size() / format.bytes());
  for (std::size_t at = 0; at < records.size(); at += format.bytes()) {
    labels.push_back(decode_label(format, records.subspan(at, format.bytes())));
  }
  return labels;
}

Shard::Shard(const RecordFormat& format, Index set_size, Range samples)
    : format_(format),
      set_size_(set_size),
      samples_(samples),
      own_(static_cast<std::size_t>(samples.size()) * format.bytes()),
      records_(own_) {}

Shard::Shard(const RecordFormat& format, std::span<std::byte> records)
    : format_(format),
      set_size_(static_cast<Index>(records.size() / format.bytes())),
      samples_{0, set_size_},
      is_replicated_(true),
      records_(records) {}

std::span<const std::byte> Shard::records(Range samples) const {
  assert(samples_.begin <= samples.begin && samples.end <= samples_.end);
  return records_.subspan(
      static_cast<std::size_t>(samples.begin - samples_.begin) * format_.bytes(),
      static_cast<std::size_t>(samples.size()) * format_.bytes());
}

std::span<std::byte> Shard::records(Range samples) {
  assert(samples_.begin <= samples.begin && samples.end <= samples_.end);
  return records_.subspan(
      static_cast<std::size_t>(samples.begin - samples_.begin) * format_.bytes(),
      static_cast<std::size_t>(samples.size()) * format_.bytes());
}

std::uint64_t digest(const Shard& shard) {
  std::uint64_t sum = 0;
  for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
    const auto record = shard.record(sample);
    sum += XXH3_64bits_withSeed(record.data(), record.size(), static_cast<XXH64_hash_t>(sample));
  }
  return sum;
}

Matrix<float> gather_samples(const Shard& shard, const std::vector<Index>& positions,
                             Communicator& comm) {
  const Index features = shard.format().features;
  std::vector<float> own;
  for (const Index position : positions) {
    if (!shard.samples().contains(position)) continue;
    own.resize(own.size() + static_cast<std::size_t>(features));
    decode_pixels(shard.format(), shard.record(position),
                  std::span(own).last(static_cast<std::size_t>(features)));
  }
  const Index own_size = static_cast<Index>(own.size());
  const std::vector<Index> sizes = comm.allgather_values(std::span(&own_size, 1));
  if (!comm.is_root()) {
    if (own_size > 0) comm.send(std::as_bytes(std::span(own)), 0);
    return {};
  }
  Matrix<float> all(features, static_cast<Index>(positions.size()));
  std::ranges::copy(own, all.data());
  Index filled = own_size;
  for (int rank = 1; rank < comm.size(); ++rank) {
    const Index size = sizes[static_cast<std::size_t>(rank)];
    if (size == 0) continue;
    const std::span part(all.data() + filled, static_cast<std::size_t>(size));
    comm.receive(std::as_writable_bytes(part), rank);
    filled += size;
  }
  return all;
}

std::vector<Index> class_counts(const Shard& shard, Index classes, Communicator& comm) {
  std::vector<double> counts(static_cast<std::size_t>(classes));
  for (const std::uint16_t label : decode_labels(shard.format(), shard.records(shard.samples()))) {
    if (label != kNoLabel) ++counts[label];
  }
  comm.allreduce_sum(std::span(counts));
  return {counts.begin(), counts.end()};
}

}  // namespace sae
