#include "sae/comm/self_communicator.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sae/comm/node_memory.hpp"
#include "sae/core/error.hpp"

namespace sae {
namespace {

template <typename Values>
class Finished final : public Pending<Values> {
 public:
  explicit Finished(Values values) : values_(std::move(values)) {}
  bool poll() override { return true; }
  Values wait() override { return std::move(values_); }

 private:
  Values values_;
};

/// The memory of a node with one rank.
class OwnMemory final : public NodeMemory {
 public:
  explicit OwnMemory(std::size_t bytes)
      : lines_((bytes + sizeof(CacheLine) - 1) / sizeof(CacheLine)) {}
  int node_rank() const override { return 0; }
  int node_size() const override { return 1; }
  std::byte* segment(int /*node_rank*/) const override { return lines_.data()->bytes; }
  void close() override { lines_.clear(); }

 private:
  struct alignas(64) CacheLine {
    std::byte bytes[64] = {};
  };
  mutable std::vector<CacheLine> lines_;
};

}  // namespace

std::unique_ptr<Communicator> SelfCommunicator::split(int /*color*/) {
  return std::make_unique<SelfCommunicator>();
}

std::unique_ptr<Communicator> SelfCommunicator::split_by_node() {
  return std::make_unique<SelfCommunicator>();
}

std::unique_ptr<NodeMemory> SelfCommunicator::share_memory(std::size_t bytes) {
  return std::make_unique<OwnMemory>(bytes);
}

std::unique_ptr<PendingExchange> SelfCommunicator::start_exchange(
    std::vector<std::byte> send, std::size_t /*record_bytes*/,
    [[maybe_unused]] std::span<const Index> send_counts,
    [[maybe_unused]] std::span<const Index> receive_counts) {
  assert(std::ranges::equal(send_counts, receive_counts) && send_counts.size() == 1);
  return std::make_unique<Finished<std::vector<std::byte>>>(std::move(send));
}

std::unique_ptr<PendingSum<float>> SelfCommunicator::start_allreduce_sum(Vector<float> values,
                                                                         Index /*count*/) {
  return std::make_unique<Finished<Vector<float>>>(std::move(values));
}

std::unique_ptr<PendingSum<bfloat16>> SelfCommunicator::start_allreduce_sum(Vector<bfloat16> values,
                                                                            Index /*count*/) {
  return std::make_unique<Finished<Vector<bfloat16>>>(std::move(values));
}

std::unique_ptr<PendingSum<double>> SelfCommunicator::start_allreduce_sum(Vector<double> values,
                                                                          Index /*count*/) {
  return std::make_unique<Finished<Vector<double>>>(std::move(values));
}

void SelfCommunicator::swap_with(std::span<const std::byte>, std::span<std::byte>, int) {
  throw CommunicationError("A single process has no partner to swap with.");
}

void SelfCommunicator::send(std::span<const std::byte>, int) {
  throw CommunicationError("A single process cannot send to another rank.");
}

void SelfCommunicator::receive(std::span<std::byte>, int) {
  throw CommunicationError("A single process cannot receive from another rank.");
}

}  // namespace sae
