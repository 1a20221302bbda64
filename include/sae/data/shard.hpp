#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/core/types.hpp"
#include "sae/data/dataset_file.hpp"

namespace sae {

/// Layout of a sample in memory and messages: its pixels as in the file, or its codes, then its
/// label as uint16.
struct RecordFormat {
  Index features = 0;
  PixelType pixel_type = PixelType::kUint8;
  Index encoded_layers = 0;  ///< Hidden layers that produced the codes; 0: pixels.

  std::size_t pixel_bytes() const {
    return static_cast<std::size_t>(features) * bytes_per_pixel(pixel_type);
  }
  std::size_t bytes() const { return pixel_bytes() + sizeof(std::uint16_t); }
};

/// Decodes the pixels or codes of a record to floats in [0, 1]; bytes are divided by 255. `pixels`
/// has `features` elements.
void decode_pixels(const RecordFormat& format, std::span<const std::byte> record,
                   std::span<float> pixels);

std::uint16_t decode_label(const RecordFormat& format, std::span<const std::byte> record);

/// Writes a record of float32 or bfloat16 values, which are the column as it stands.
template <typename Column>
void encode_record(const RecordFormat& format, const Column& values, std::uint16_t label,
                   std::span<std::byte> record) {
  std::memcpy(record.data(), values.data(), format.pixel_bytes());
  std::memcpy(record.data() + format.pixel_bytes(), &label, sizeof label);
}

/// As above for consecutive records; the pixels have shape (features, records).
Matrix<float> decode_pixels(const RecordFormat& format, std::span<const std::byte> records);
std::vector<std::uint16_t> decode_labels(const RecordFormat& format,
                                         std::span<const std::byte> records);

/// The contiguous samples of a set that one rank holds; may be empty. Or all samples, in memory of
/// others which all ranks of a node read.
class Shard {
 public:
  /// `samples` is a range of the set of `set_size` samples, not of the file.
  Shard(const RecordFormat& format, Index set_size, Range samples);
  /// All samples, which every rank has. `records` must outlive the shard.
  Shard(const RecordFormat& format, std::span<std::byte> records);
  Shard(Shard&&) = default;
  Shard& operator=(Shard&&) = default;

  const RecordFormat& format() const { return format_; }
  Index set_size() const { return set_size_; }
  Range samples() const { return samples_; }
  /// Whether every rank has all samples.
  bool is_replicated() const { return is_replicated_; }
  std::size_t size_bytes() const { return records_.size(); }
  /// Of the samples of all ranks.
  std::size_t set_bytes() const { return static_cast<std::size_t>(set_size_) * format_.bytes(); }

  /// Requires: the shard holds the sample.
  std::span<const std::byte> record(Index sample) const {
    return records(Range{sample, sample + 1});
  }
  std::span<const std::byte> records(Range samples) const;
  std::span<std::byte> records(Range samples);

 private:
  RecordFormat format_;
  Index set_size_;
  Range samples_;
  bool is_replicated_ = false;
  std::vector<std::byte> own_;
  std::span<std::byte> records_;
};

/// The values (features, samples) at these positions of a sharded set, in ascending order, on rank
/// 0; nothing elsewhere. Collective.
Matrix<float> gather_samples(const Shard& shard, const std::vector<Index>& positions,
                             Communicator& comm);

/// Samples of each class in a sharded set; those without a label do not count. Collective.
std::vector<Index> class_counts(const Shard& shard, Index classes, Communicator& comm);

/// Digest of a shard. The sum over all shards, modulo 2^64, identifies the samples, labels and
/// order of a set, however it is sharded. Sums the XXH3 of each record, seeded with its index.
std::uint64_t digest(const Shard& shard);

}  // namespace sae
