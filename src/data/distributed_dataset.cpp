#include "sae/data/distributed_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "sae/core/error.hpp"
#include "sae/core/partition.hpp"

namespace sae {
namespace {

/// Opens the file on rank 0 while the others wait. Keeps the heartbeats of all ranks beating,
/// however long the trial takes. Collective.
std::optional<DatasetFile> open_on_root(const std::filesystem::path& path, Communicator& comm,
                                        Heartbeat* heartbeat) {
  constexpr std::chrono::seconds kBetweenSigns{1};
  constexpr std::byte kTrying{0};
  constexpr std::byte kOpened{1};
  if (!comm.is_root()) {
    std::byte sign = kTrying;
    while (sign == kTrying) {
      comm.receive({&sign, 1}, 0);
      beat(heartbeat);
    }
    return std::nullopt;
  }
  const auto notify = [&comm](std::byte sign) {
    for (int rank = 1; rank < comm.size(); ++rank) comm.send({&sign, 1}, rank);
  };
  auto notified = std::chrono::steady_clock::now();
  std::optional<DatasetFile> file;
  file.emplace(path, [&] {
    beat(heartbeat);
    if (std::chrono::steady_clock::now() - notified < kBetweenSigns) return;
    notify(kTrying);
    notified = std::chrono::steady_clock::now();
  });
  notify(kOpened);
  return file;
}

/// Rank 0's description of the data set, on every rank; its names, source and licence on rank 0
/// alone.
DatasetInfo broadcast_info(const DatasetInfo& info, Communicator& comm) {
  std::array<Index, 9> numbers = {info.classes,
                                  info.features,
                                  info.height,
                                  info.width,
                                  static_cast<Index>(info.pixel_type),
                                  info.train_count,
                                  info.test_count,
                                  Index{info.has_train_labels},
                                  Index{info.has_test_labels}};
  comm.broadcast(std::as_writable_bytes(std::span(numbers)), 0);
  DatasetInfo result;
  result.class_names = info.class_names;
  result.feature_names = info.feature_names;
  result.name = comm.allgather(comm.is_root() ? info.name : std::string())[0];
  result.classes = numbers[0];
  result.features = numbers[1];
  result.height = numbers[2];
  result.width = numbers[3];
  result.pixel_type = static_cast<PixelType>(numbers[4]);
  result.train_count = numbers[5];
  result.test_count = numbers[6];
  result.has_train_labels = numbers[7] != 0;
  result.has_test_labels = numbers[8] != 0;
  return result;
}

}  // namespace

DistributedDataset::DistributedDataset(const std::filesystem::path& path, DataAccess access,
                                       Communicator& comm, Heartbeat* heartbeat)
    : access_(access),
      comm_(comm),
      heartbeat_(heartbeat),
      file_(open_on_root(path, comm, heartbeat)),
      info_(broadcast_info(file_ ? file_->info() : DatasetInfo{}, comm)) {
  if (file_) {
    samples_per_chunk_ = {file_->samples_per_chunk(Split::kTrain),
                          file_->samples_per_chunk(Split::kTest)};
  }
  comm.broadcast(std::as_writable_bytes(std::span(samples_per_chunk_)), 0);
  if (access != DataAccess::kShared || file_) return;
  file_ = DatasetFile::open_without_trial(path);
  const DatasetInfo& own = file_->info();
  if (own.features != info_.features || own.classes != info_.classes ||
      own.pixel_type != info_.pixel_type || own.train_count != info_.train_count ||
      own.test_count != info_.test_count) {
    throw DataError(fmt::format(
        "The data set {} is not the one that rank 0 reads: {} + {} samples of {} pixels here, "
        "{} + {} of {} there.",
        path.string(), own.train_count, own.test_count, own.features, info_.train_count,
        info_.test_count, info_.features));
  }
}

Index DistributedDataset::samples_per_block(Split split) const {
  const auto usual =
      static_cast<Index>(std::max<std::size_t>(1, kBlockBytes / record_format().bytes()));
  return std::max(usual, samples_per_chunk_[split == Split::kTrain ? 0 : 1]);
}

void DistributedDataset::read_block(const SampleSet& set, Range positions,
                                    std::span<std::byte> records) const {
  const RecordFormat format = record_format();
  const Index most = samples_per_block(set.split());
  const bool has_labels = info_.has_labels(set.split());
  std::vector<std::byte> pixels;
  std::vector<std::uint16_t> labels;
  std::byte* record = records.data();
  const Index end = set.sample_at(positions.end - 1) + 1;
  for (Range block{set.sample_at(positions.begin), 0}; block.begin < end; block.begin = block.end) {
    block.end = std::min(block.begin + most, end);
    const auto count = static_cast<std::size_t>(block.size());
    pixels.resize(count * format.pixel_bytes());
    labels.assign(count, kNoLabel);
    file_->read_images(set.split(), block, pixels);
    if (has_labels) file_->read_labels(set.split(), block, labels);
    for (std::size_t i = 0; i < count; ++i) {
      if (!set.contains(block.begin + static_cast<Index>(i))) continue;
      std::memcpy(record, pixels.data() + i * format.pixel_bytes(), format.pixel_bytes());
      std::memcpy(record + format.pixel_bytes(), &labels[i], sizeof labels[i]);
      record += format.bytes();
    }
  }
}

void DistributedDataset::for_each_label(
    const std::function<void(Index sample, Index label)>& action) const {
  constexpr Index kBlock = 1 << 16;
  std::vector<std::uint16_t> labels;
  for (Range block{0, 0}; block.begin < info_.train_count; block.begin = block.end) {
    block.end = std::min(block.begin + kBlock, info_.train_count);
    labels.assign(static_cast<std::size_t>(block.size()), kNoLabel);
    if (info_.has_train_labels) file_->read_labels(Split::kTrain, block, labels);
    for (Index sample = block.begin; sample < block.end; ++sample) {
      const std::uint16_t label = labels[static_cast<std::size_t>(sample - block.begin)];
      action(sample, label == kNoLabel ? -1 : Index{label});
    }
    beat(heartbeat_);
  }
}

Shard DistributedDataset::load_shard(const SampleSet& set, Range positions, Index granularity) {
  const RecordFormat format = record_format();
  const Range whole{0, positions.size()};
  const auto shard_of = [&](int rank) {
    return part_in_blocks(whole, granularity, rank, comm_.size());
  };
  Shard shard(format, whole.size(), shard_of(comm_.rank()));
  const Index block_samples = samples_per_block(set.split());
  // The samples that a rank loads in a round.
  const auto block_of = [&](int rank, Index round) {
    const Range own_shard = shard_of(rank);
    const Index begin = std::min(own_shard.begin + round * block_samples, own_shard.end);
    return Range{begin, std::min(begin + block_samples, own_shard.end)};
  };
  const auto in_set = [&](Range r) {
    return Range{positions.begin + r.begin, positions.begin + r.end};
  };
  // One block per rank and round, so that no rank waits long without progress.
  std::vector<std::byte> buffer;
  Index largest_shard = 0;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    largest_shard = std::max(largest_shard, shard_of(rank).size());
  }
  const Index rounds = (largest_shard + block_samples - 1) / block_samples;
  for (Index round = 0; round < rounds; ++round) {
    const Range own = block_of(comm_.rank(), round);
    if (file_) {
      if (own.size() > 0) read_block(set, in_set(own), shard.records(own));
    } else if (own.size() > 0) {
      comm_.receive(shard.records(own), 0);
    }
    beat(heartbeat_);
    if (access_ == DataAccess::kShared || !comm_.is_root()) continue;
    for (int rank = 1; rank < comm_.size(); ++rank) {
      const Range block = block_of(rank, round);
      if (block.size() == 0) continue;
      buffer.resize(static_cast<std::size_t>(block.size()) * format.bytes());
      read_block(set, in_set(block), buffer);
      comm_.send(buffer, rank);
      beat(heartbeat_);
    }
  }
  return shard;
}

}  // namespace sae
