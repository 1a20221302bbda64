#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sae/core/types.hpp"
#include "sae/data/dataset_file.hpp"

namespace sae {

/// How a sample lies in memory and travels between ranks: its pixels as stored in the
/// file, or its codes, then its label as uint16.
struct RecordFormat {
  Index features = 0;
  PixelType pixel_type = PixelType::kUint8;
  Index encoded_layers = 0;  ///< Hidden layers that the pixels went through: codes, if not 0.

  std::size_t pixel_bytes() const {
    return static_cast<std::size_t>(features) * bytes_per_pixel(pixel_type);
  }
  std::size_t bytes() const { return pixel_bytes() + sizeof(std::uint16_t); }
};

/// The pixels or codes of a record as floats in [0, 1]: bytes are divided by 255. `pixels` has
/// `features` elements.
void decode_pixels(const RecordFormat& format, std::span<const std::byte> record,
                   std::span<float> pixels);

std::uint16_t decode_label(const RecordFormat& format, std::span<const std::byte> record);

/// The same of records that follow each other: pixels of shape (features, records).
Matrix<float> decode_pixels(const RecordFormat& format, std::span<const std::byte> records);
std::vector<std::uint16_t> decode_labels(const RecordFormat& format,
                                         std::span<const std::byte> records);

/// The contiguous part of a set of samples that one rank holds; may be empty.
class Shard {
 public:
  /// `samples` counts within the set of `set_size` samples, not within the file.
  Shard(const RecordFormat& format, Index set_size, Range samples);

  const RecordFormat& format() const { return format_; }
  Index set_size() const { return set_size_; }
  Range samples() const { return samples_; }
  std::size_t size_bytes() const { return records_.size(); }

  /// The record of a sample that this shard holds.
  std::span<const std::byte> record(Index sample) const {
    return records(Range{sample, sample + 1});
  }
  std::span<const std::byte> records(Range samples) const;
  std::span<std::byte> records(Range samples);

 private:
  RecordFormat format_;
  Index set_size_;
  Range samples_;
  std::vector<std::byte> records_;
};

/// Of all records of a set in their order, whichever shards hold them: the sum over shards, modulo
/// 2^64, tells sets with other samples, labels or order apart. XXH3 of each record, seeded with its
/// place.
std::uint64_t digest(const Shard& shard);

}  // namespace sae
