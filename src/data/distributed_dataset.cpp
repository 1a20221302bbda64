#include "sae/data/distributed_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "sae/core/error.hpp"
#include "sae/data/partition.hpp"

namespace sae {
namespace {

/// Calls visit(block) for consecutive blocks of the range that hold at most kBlockBytes.
template <typename Visit>
void for_each_block(Range samples, std::size_t record_bytes, Visit visit) {
  const auto length =
      static_cast<Index>(std::max<std::size_t>(1, DistributedDataset::kBlockBytes / record_bytes));
  for (Index begin = samples.begin; begin < samples.end; begin += length) {
    visit(Range{begin, std::min(begin + length, samples.end)});
  }
}

/// Rank 0's description of the data set, on every rank.
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
                                       Communicator& comm)
    : access_(access), comm_(comm) {
  if (access == DataAccess::kShared || comm.is_root()) file_.emplace(path);
  info_ = broadcast_info(file_ ? file_->info() : DatasetInfo{}, comm);
  if (!file_) return;
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

void DistributedDataset::read_records(Split split, Range file_samples,
                                      std::span<std::byte> records) const {
  const RecordFormat format = record_format();
  for_each_block(file_samples, format.bytes(), [&](Range block) {
    const auto count = static_cast<std::size_t>(block.size());
    std::vector<std::byte> pixels(count * format.pixel_bytes());
    std::vector<std::uint16_t> labels(count);
    file_->read_images(split, block, pixels);
    if (info_.has_labels(split)) file_->read_labels(split, block, labels);
    const auto first = static_cast<std::size_t>(block.begin - file_samples.begin);
    for (std::size_t i = 0; i < count; ++i) {
      std::byte* record = records.data() + (first + i) * format.bytes();
      std::memcpy(record, pixels.data() + i * format.pixel_bytes(), format.pixel_bytes());
      std::memcpy(record + format.pixel_bytes(), &labels[i], sizeof labels[i]);
    }
  });
}

Shard DistributedDataset::load_shard(Split split, Range samples) {
  const RecordFormat format = record_format();
  const Range whole{0, samples.size()};
  Shard shard(format, whole.size(), part_of_range(whole, comm_.rank(), comm_.size()));
  const auto in_file = [&](Range r) {
    return Range{samples.begin + r.begin, samples.begin + r.end};
  };
  if (file_) read_records(split, in_file(shard.samples()), shard.records(shard.samples()));
  if (access_ == DataAccess::kShared) return shard;
  if (comm_.is_root()) {
    std::vector<std::byte> buffer;
    for (int rank = 1; rank < comm_.size(); ++rank) {
      for_each_block(part_of_range(whole, rank, comm_.size()), format.bytes(), [&](Range block) {
        buffer.resize(static_cast<std::size_t>(block.size()) * format.bytes());
        read_records(split, in_file(block), buffer);
        comm_.send(buffer, rank);
      });
    }
  } else {
    for_each_block(shard.samples(), format.bytes(),
                   [&](Range block) { comm_.receive(shard.records(block), 0); });
  }
  return shard;
}

}  // namespace sae
