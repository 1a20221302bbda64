#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sae/comm/communicator.hpp"
#include "sae/data/epoch_order.hpp"
#include "sae/data/minibatch.hpp"
#include "sae/data/shard.hpp"

namespace sae {

/// Updates per epoch: the last, short minibatch counts.
Index steps_per_epoch(Index sample_count, Index global_batch_size);

/// The minibatches of one epoch, in the order of the epoch, each rank its part of each. Shards
/// stay where they are; before a window of steps the ranks exchange the records that they
/// need, and the next window travels while this one trains. Memory: two windows of received
/// records, one of sent ones, and 8 bytes for each sample of the shard.
class EpochStream {
 public:
  /// Starts before `first_step`, counted from 0 within the epoch.
  /// Collective, like next(). The shard and the communicator must outlive the stream.
  EpochStream(const Shard& shard, const EpochOrder& order, Index global_batch_size,
              Index first_step, Communicator& comm);

  /// The next minibatch, or false after the last of the epoch.
  bool next(Minibatch<float>& minibatch);

  /// Leaves the epoch, at any step: waits for the exchange under way, which others may need.
  /// Collective.
  void finish();

  /// Lets an exchange under way go on. Local.
  void poll();

  /// Bytes that a window of received records takes at most, when a rank's part of a step has so
  /// many samples: at least one step of them.
  static std::size_t window_bytes(const RecordFormat& format, Index samples_per_step);

 private:
  struct Window {
    Range steps;
    std::vector<std::byte> received;       // Empty until it is waited for.
    std::vector<std::uint32_t> samples;    // This rank's, in order of position.
    std::vector<std::int32_t> sources;     // The rank that each of them comes from.
    std::vector<std::size_t> read_offset;  // Per source: where its next record begins.
    std::unique_ptr<PendingExchange> pending;
  };

  Range batch_positions(Index step) const;
  Range local_positions(Index step) const;
  void start_window(Index first_step);

  struct Placement {
    std::uint32_t position;
    std::uint32_t sample;
  };

  const Shard& shard_;
  EpochOrder order_;
  Index global_batch_size_;
  Index steps_;
  Index steps_per_window_;
  Communicator& comm_;
  std::vector<Placement> placements_;  // Own samples by their position in the epoch.
  std::size_t next_placement_ = 0;
  Window current_;
  Window coming_;
  Index step_ = 0;               // The next step to hand out.
  std::size_t next_record_ = 0;  // Its first record in the current window.
};

}  // namespace sae
