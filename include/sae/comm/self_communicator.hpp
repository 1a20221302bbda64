#pragma once

#include "sae/comm/communicator.hpp"

namespace sae {

/// The communicator of a single process; needs no MPI.
class SelfCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void allreduce_sum(std::span<float>) override {}
  void allreduce_sum(std::span<double>) override {}
  void allreduce_sum(std::span<bfloat16>) override {}
  std::unique_ptr<PendingSum<float>> start_allreduce_sum(Vector<float> values,
                                                         Index count) override;
  std::unique_ptr<PendingSum<bfloat16>> start_allreduce_sum(Vector<bfloat16> values,
                                                            Index count) override;
  std::unique_ptr<PendingSum<double>> start_allreduce_sum(Vector<double> values,
                                                          Index count) override;
  void broadcast(std::span<std::byte>, int) override {}
  std::vector<std::string> allgather(const std::string& text) override { return {text}; }
  std::unique_ptr<PendingExchange> start_exchange(std::vector<std::byte> send,
                                                  std::size_t record_bytes,
                                                  std::span<const Index> send_counts,
                                                  std::span<const Index> receive_counts) override;
  std::unique_ptr<Communicator> split(int color) override;
  std::unique_ptr<Communicator> split_by_node() override;
  std::unique_ptr<NodeMemory> share_memory(std::size_t bytes) override;
  void close() override {}
  void barrier() override {}
  void swap_with(std::span<const std::byte>, std::span<std::byte>, int partner) override;
  void send(std::span<const std::byte>, int to) override;
  void receive(std::span<std::byte>, int from) override;
};

}  // namespace sae
