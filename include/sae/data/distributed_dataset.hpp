#pragma once

#include <filesystem>
#include <optional>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// Who reads the data set file.
enum class DataAccess {
  kScatter,  ///< Rank 0 alone; it sends every other rank its shard, block by block.
  kShared    ///< Every rank its own shard; the file must be visible everywhere.
};

/// A data set file that the ranks read together.
class DistributedDataset {
 public:
  /// Rank 0 tries the file before others open it. Each block that is tried or loaded is progress
  /// for `heartbeat`, which may be null. Collective. Throws: as DatasetFile, on the ranks that
  /// read; DataError if ranks see different files.
  DistributedDataset(const std::filesystem::path& path, DataAccess access, Communicator& comm,
                     Heartbeat* heartbeat = nullptr);

  const DatasetInfo& info() const { return info_; }
  RecordFormat record_format() const { return {info_.features, info_.pixel_type}; }

  /// This rank's part of the samples [samples.begin, samples.end) of a split; parts are made of
  /// whole runs of `granularity` samples. A rank holds its own shard and, while reading, at most
  /// one block of kBlockBytes.
  /// Collective. Throws: DataError from the reading rank.
  Shard load_shard(Split split, Range samples, Index granularity = 1);

  static constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

 private:
  void read_block(Split split, Range file_samples, std::span<std::byte> records) const;

  DataAccess access_;
  Communicator& comm_;
  Heartbeat* heartbeat_;
  std::optional<DatasetFile> file_;  // Only where this rank reads.
  DatasetInfo info_;
};

}  // namespace sae
