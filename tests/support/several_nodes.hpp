#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sae/comm/mpi_communicator.hpp"
#include "sae/comm/node_memory.hpp"

namespace sae {

/// The ranks of one machine as if they were on two nodes of unequal size. Three ranks at least; of
/// fewer, as on one node.
class SeveralNodes final : public Communicator {
 public:
  /// Collective. The communicator must outlive it.
  explicit SeveralNodes(MpiCommunicator& all)
      : all_(all), color_(all.rank() < all.size() / 3 ? 0 : 1), node_(all.split(color_)) {}

  int rank() const override { return all_.rank(); }
  int size() const override { return all_.size(); }
  void allreduce_sum(std::span<float> values) override { all_.allreduce_sum(values); }
  void allreduce_sum(std::span<double> values) override { all_.allreduce_sum(values); }
  void allreduce_sum(std::span<bfloat16> values) override { all_.allreduce_sum(values); }
  std::unique_ptr<PendingSum<float>> start_allreduce_sum(Vector<float> values,
                                                         Index count) override {
    return all_.start_allreduce_sum(std::move(values), count);
  }
  std::unique_ptr<PendingSum<bfloat16>> start_allreduce_sum(Vector<bfloat16> values,
                                                            Index count) override {
    return all_.start_allreduce_sum(std::move(values), count);
  }
  std::unique_ptr<PendingSum<double>> start_allreduce_sum(Vector<double> values,
                                                          Index count) override {
    return all_.start_allreduce_sum(std::move(values), count);
  }
  void broadcast(std::span<std::byte> bytes, int root) override { all_.broadcast(bytes, root); }
  std::vector<std::string> allgather(const std::string& text) override {
    return all_.allgather(text);
  }
  std::unique_ptr<PendingExchange> start_exchange(std::vector<std::byte> send,
                                                  std::size_t record_bytes,
                                                  std::span<const Index> send_counts,
                                                  std::span<const Index> receive_counts) override {
    return all_.start_exchange(std::move(send), record_bytes, send_counts, receive_counts);
  }
  std::unique_ptr<Communicator> split(int color) override { return all_.split(color); }
  std::unique_ptr<Communicator> split_by_node() override { return all_.split(color_); }
  std::unique_ptr<NodeMemory> share_memory(std::size_t bytes) override {
    return node_->share_memory(bytes);
  }
  void close() override { node_->close(); }
  void barrier() override { all_.barrier(); }
  void swap_with(std::span<const std::byte> send, std::span<std::byte> receive,
                 int partner) override {
    all_.swap_with(send, receive, partner);
  }
  void send(std::span<const std::byte> bytes, int to) override { all_.send(bytes, to); }
  void receive(std::span<std::byte> bytes, int from) override { all_.receive(bytes, from); }

 private:
  MpiCommunicator& all_;
  int color_;
  std::unique_ptr<Communicator> node_;
};

}  // namespace sae
