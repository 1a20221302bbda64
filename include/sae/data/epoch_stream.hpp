#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/epoch_order.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// Updates per epoch, including the last, short minibatch.
Index steps_per_epoch(Index sample_count, Index global_batch_size);

/// Streams the local batches of one epoch in the order of the epoch. Where each rank has all
/// samples it reads them. Else shards stay in place: before each window of steps the ranks exchange
/// the records that they need, and the next window travels while this one trains. Memory: two
/// windows of received records, one of sent records, and 8 bytes per sample of the shard.
class EpochStream {
 public:
  /// Begins at `first_step`, counted from 0 within the epoch. Shard and communicator must outlive
  /// the stream. Collective, like next().
  EpochStream(const Shard& shard, const EpochOrder& order, Index global_batch_size,
              Index first_step, Communicator& comm);

  /// Fetches the next local batch; returns false after the last of the epoch.
  bool next(Minibatch<float>& minibatch);

  /// Leaves the epoch at any step: completes the exchange in flight, which other ranks may wait
  /// for.
  /// Collective.
  void finish();

  /// Makes progress with the exchange in flight. Local.
  void poll();

  /// Most bytes of a window of received records if a local batch has at most `samples_per_step`
  /// samples. Holds at least one step.
  static std::size_t window_bytes(const RecordFormat& format, Index samples_per_step);

 private:
  struct Window {
    Range steps;
    std::vector<std::byte> received;       // Empty until the exchange has completed.
    std::vector<std::uint32_t> samples;    // This rank's, in order of position.
    std::vector<std::int32_t> sources;     // The rank that sends each of them.
    std::vector<std::size_t> read_offset;  // By source: begin of its next record in `received`.
    std::unique_ptr<PendingExchange> pending;
  };

  /// Whether this rank has all samples, so that none travel.
  bool is_local() const { return shard_.is_replicated() || comm_.size() == 1; }
  /// The records of a step, and their samples. Requires: is_local().
  void read_records(Index step, std::vector<std::span<const std::byte>>& records,
                    std::vector<std::uint32_t>& samples) const;
  void take_received(std::vector<std::span<const std::byte>>& records,
                     std::vector<std::uint32_t>& samples);

  Range batch_positions(Index step) const;
  Range local_positions(Index step) const;
  void start_window(Index first_step);

  struct SamplePosition {
    std::uint32_t position;
    std::uint32_t sample;
  };

  const Shard& shard_;
  EpochOrder order_;
  Index global_batch_size_;
  Index steps_;
  Index steps_per_window_ = 0;  ///< Where samples travel.
  Communicator& comm_;
  std::vector<SamplePosition> sample_positions_;  // Samples of the shard, sorted by position.
  std::size_t next_position_ = 0;
  Window window_;
  Window next_window_;
  Index step_ = 0;               // The next step that next() returns.
  std::size_t next_record_ = 0;  // Its first record in the current window.
};

}  // namespace sae
