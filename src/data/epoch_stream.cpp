#include "sae/data/epoch_stream.hpp"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>
#include <vector>

#include "sae/core/partition.hpp"

namespace sae {
namespace {

constexpr std::size_t kWindowBytes = std::size_t{1} << 20;  // Larger if a step needs more.

}  // namespace

Index steps_per_epoch(Index sample_count, Index global_batch_size) {
  return (sample_count + global_batch_size - 1) / global_batch_size;
}

std::size_t EpochStream::window_bytes(const RecordFormat& format, Index samples_per_step) {
  return std::max(kWindowBytes, static_cast<std::size_t>(samples_per_step) * format.bytes());
}

EpochStream::EpochStream(const Shard& shard, const EpochOrder& order, Index global_batch_size,
                         Index first_step, Communicator& comm)
    : shard_(shard),
      order_(order),
      global_batch_size_(global_batch_size),
      steps_(steps_per_epoch(shard.set_size(), global_batch_size)),
      comm_(comm),
      step_(first_step) {
  assert(order.sample_count() == shard.set_size());
  if (is_local()) return;
  const Index local_batch_size = steps_per_epoch(global_batch_size, comm.size());
  const std::size_t bytes = window_bytes(shard.format(), local_batch_size);
  steps_per_window_ = static_cast<Index>(bytes / shard.format().bytes()) / local_batch_size;
  const Index first_position = first_step * global_batch_size;
  for (Index sample = shard.samples().begin; sample < shard.samples().end; ++sample) {
    const Index position = order_.position_of(sample);
    if (position < first_position) continue;
    sample_positions_.push_back(
        {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(sample)});
  }
  std::sort(
      sample_positions_.begin(), sample_positions_.end(),
      [](const SamplePosition& a, const SamplePosition& b) { return a.position < b.position; });
  if (first_step < steps_) start_window(first_step);
}

Range EpochStream::batch_positions(Index step) const {
  return {step * global_batch_size_,
          std::min((step + 1) * global_batch_size_, order_.sample_count())};
}

Range EpochStream::local_positions(Index step) const {
  return part_of_range(batch_positions(step), comm_.rank(), comm_.size());
}

void EpochStream::start_window(Index first_step) {
  Window window;
  window.steps = {first_step, std::min(first_step + steps_per_window_, steps_)};
  const auto ranks = static_cast<std::size_t>(comm_.size());
  const std::size_t record_bytes = shard_.format().bytes();

  // What this rank receives, and from whom: follows from the order without communication.
  std::vector<Index> receive_counts(ranks, 0);
  const Range whole{0, shard_.set_size()};
  for (Index step = window.steps.begin; step < window.steps.end; ++step) {
    const Range positions = local_positions(step);
    for (Index position = positions.begin; position < positions.end; ++position) {
      const Index sample = order_.sample_at(position);
      const Index source = part_that_holds(whole, sample, comm_.size());
      window.samples.push_back(static_cast<std::uint32_t>(sample));
      window.sources.push_back(static_cast<std::int32_t>(source));
      ++receive_counts[static_cast<std::size_t>(source)];
    }
  }
  window.read_offset.resize(ranks, 0);
  for (std::size_t rank = 1; rank < ranks; ++rank) {
    window.read_offset[rank] = window.read_offset[rank - 1] +
                               static_cast<std::size_t>(receive_counts[rank - 1]) * record_bytes;
  }

  // What this rank sends: grouped by destination, in order of position.
  std::vector<std::vector<std::uint32_t>> outgoing(ranks);
  const Index end_position = std::min(window.steps.end * global_batch_size_, whole.end);
  std::size_t sent_records = 0;
  for (; next_position_ < sample_positions_.size(); ++next_position_, ++sent_records) {
    const SamplePosition& entry = sample_positions_[next_position_];
    if (entry.position >= end_position) break;
    const Range batch = batch_positions(entry.position / global_batch_size_);
    const Index destination = part_that_holds(batch, entry.position, comm_.size());
    outgoing[static_cast<std::size_t>(destination)].push_back(entry.sample);
  }
  std::vector<Index> send_counts(ranks, 0);
  std::vector<std::byte> sent;
  sent.reserve(sent_records * record_bytes);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    send_counts[rank] = static_cast<Index>(outgoing[rank].size());
    for (const std::uint32_t sample : outgoing[rank]) {
      const auto record = shard_.record(sample);
      sent.insert(sent.end(), record.begin(), record.end());
    }
  }
  window.pending = comm_.start_exchange(std::move(sent), record_bytes, send_counts, receive_counts);
  next_window_ = std::move(window);
}

void EpochStream::read_records(Index step, std::vector<std::span<const std::byte>>& records,
                               std::vector<std::uint32_t>& samples) const {
  const Index first = local_positions(step).begin;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Index sample = order_.sample_at(first + static_cast<Index>(i));
    records[i] = shard_.record(sample);
    samples[i] = static_cast<std::uint32_t>(sample);
  }
}

void EpochStream::take_received(std::vector<std::span<const std::byte>>& records,
                                std::vector<std::uint32_t>& samples) {
  const std::span<const std::byte> received(window_.received);
  const std::size_t bytes = shard_.format().bytes();
  for (std::size_t i = 0; i < records.size(); ++i, ++next_record_) {
    std::size_t& offset =
        window_.read_offset[static_cast<std::size_t>(window_.sources[next_record_])];
    records[i] = received.subspan(offset, bytes);
    samples[i] = window_.samples[next_record_];
    offset += bytes;
  }
}

bool EpochStream::next(Minibatch<float>& minibatch) {
  if (step_ == steps_) return false;
  if (!is_local() && step_ == next_window_.steps.begin) {
    window_ = std::exchange(next_window_, Window{});
    window_.received = std::exchange(window_.pending, nullptr)->wait();
    next_record_ = 0;
    if (window_.steps.end < steps_) start_window(window_.steps.end);
  }
  poll();
  const RecordFormat& format = shard_.format();
  const Index count = local_positions(step_).size();
  std::vector<std::span<const std::byte>> records(static_cast<std::size_t>(count));
  minibatch.inputs.resize(format.features, count);
  minibatch.labels.resize(static_cast<std::size_t>(count));
  minibatch.samples.resize(static_cast<std::size_t>(count));
  minibatch.global_size = batch_positions(step_).size();
  minibatch.encoded_layers = format.encoded_layers;
  if (is_local()) {
    read_records(step_, records, minibatch.samples);
  } else {
    take_received(records, minibatch.samples);
  }
  std::ranges::transform(records, minibatch.labels.begin(),
                         [&](const auto& record) { return decode_label(format, record); });
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    decode_pixels(
        format, records[static_cast<std::size_t>(i)],
        std::span(minibatch.inputs.col(i).data(), static_cast<std::size_t>(format.features)));
  }
  ++step_;
  return true;
}

void EpochStream::finish() {
  if (next_window_.pending) next_window_.pending->wait();
  next_window_ = {};
  step_ = steps_;
}

void EpochStream::poll() {
  if (next_window_.pending) next_window_.pending->poll();
}

}  // namespace sae
