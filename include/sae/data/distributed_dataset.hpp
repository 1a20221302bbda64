#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>

#include "sae/comm/communicator.hpp"
#include "sae/comm/heartbeat.hpp"
#include "sae/data/dataset_file.hpp"
#include "sae/data/sample_set.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// Which ranks read the data set file.
enum class DataAccess {
  kScatter,  ///< Rank 0 reads and sends every other rank its shard.
  kShared    ///< Every rank reads its own shard; all hosts must see the file.
};

/// A data set file that the ranks read together.
class DistributedDataset {
 public:
  /// Rank 0 runs the trial before other ranks open the file. Each block of the trial and of later
  /// loads beats `heartbeat`, which may be null.
  /// Collective. Throws: as DatasetFile, on the ranks that read; DataError if ranks see different
  /// files.
  DistributedDataset(const std::filesystem::path& path, DataAccess access, Communicator& comm,
                     Heartbeat* heartbeat = nullptr);

  const DatasetInfo& info() const { return info_; }
  RecordFormat record_format() const { return {info_.features, info_.pixel_type}; }

  /// Loads this rank's shard of the samples at [positions.begin, positions.end) of a set. Shards
  /// begin at multiples of `granularity` samples. A rank holds its shard and, while reading, at
  /// most one block: of kBlockBytes, or of a chunk of the file if that is larger.
  /// Collective. Throws: DataError on the reading rank.
  Shard load_shard(const SampleSet& set, Range positions, Index granularity = 1);
  Shard load_shard(const SampleSet& set, Index granularity = 1) {
    return load_shard(set, {0, set.size()}, granularity);
  }

  /// Calls `action` on rank 0 with each sample of the training split and its class, or -1 if it has
  /// no label. Local. Throws: DataError.
  void for_each_label(const std::function<void(Index sample, Index label)>& action) const;

  static constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

 private:
  /// Samples of a block: of kBlockBytes, or of a whole chunk of the file if that is larger, so that
  /// no chunk is unpacked again for each of its blocks.
  Index samples_per_block(Split split) const;
  void read_block(const SampleSet& set, Range positions, std::span<std::byte> records) const;

  DataAccess access_;
  Communicator& comm_;
  Heartbeat* heartbeat_;
  std::optional<DatasetFile> file_;  // Only where this rank reads.
  DatasetInfo info_;
  std::array<Index, 2> samples_per_chunk_ = {1, 1};  ///< By split.
};

}  // namespace sae
