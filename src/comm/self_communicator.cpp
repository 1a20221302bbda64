#include "sae/comm/self_communicator.hpp"

#include <algorithm>
#include <cassert>

#include "sae/core/error.hpp"

namespace sae {
namespace {

class FinishedExchange final : public PendingExchange {
 public:
  bool poll() override { return true; }
  void wait() override {}
};

}  // namespace

std::unique_ptr<PendingExchange> SelfCommunicator::start_exchange(
    std::span<const std::byte> send, [[maybe_unused]] std::span<const Index> send_counts,
    std::span<std::byte> receive, [[maybe_unused]] std::span<const Index> receive_counts) {
  assert(send.size() == receive.size() && send_counts.size() == 1 && receive_counts.size() == 1);
  std::copy(send.begin(), send.end(), receive.begin());
  return std::make_unique<FinishedExchange>();
}

std::unique_ptr<PendingExchange> SelfCommunicator::start_allreduce_sum(std::span<float>) {
  return std::make_unique<FinishedExchange>();
}

std::unique_ptr<PendingExchange> SelfCommunicator::start_allreduce_sum(std::span<bfloat16>) {
  return std::make_unique<FinishedExchange>();
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
