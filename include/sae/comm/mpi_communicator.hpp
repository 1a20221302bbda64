#pragma once

#include <memory>
#include <optional>

#include "sae/comm/communicator.hpp"

namespace sae {

/// All ranks of the MPI job. Requires: an MpiSession that outlives it.
class MpiCommunicator final : public Communicator {
 public:
  /// Duplicates MPI_COMM_WORLD, so that messages of other libraries cannot match ours. Splits
  /// transfers into messages of at most `longest_message` bytes, because MPI counts in int. Up to
  /// `most_direct` ranks exchange sums in flight directly; more leave them to MPI_Iallreduce.
  /// Collective.
  explicit MpiCommunicator(std::size_t longest_message = std::size_t{1} << 30,
                           int most_direct = kMostDirect);
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void allreduce_sum(std::span<float> values) override;
  void allreduce_sum(std::span<double> values) override;
  void allreduce_sum(std::span<bfloat16> values) override;
  std::unique_ptr<PendingSum<float>> start_allreduce_sum(Vector<float> values,
                                                         Index count) override;
  std::unique_ptr<PendingSum<bfloat16>> start_allreduce_sum(Vector<bfloat16> values,
                                                            Index count) override;
  std::unique_ptr<PendingSum<double>> start_allreduce_sum(Vector<double> values,
                                                          Index count) override;
  void broadcast(std::span<std::byte> bytes, int root) override;
  std::vector<std::string> allgather(const std::string& text) override;
  std::unique_ptr<PendingExchange> start_exchange(std::vector<std::byte> send,
                                                  std::size_t record_bytes,
                                                  std::span<const Index> send_counts,
                                                  std::span<const Index> receive_counts) override;
  void barrier() override;
  void swap_with(std::span<const std::byte> send, std::span<std::byte> receive,
                 int partner) override;
  void send(std::span<const std::byte> bytes, int to) override;
  void receive(std::span<std::byte> bytes, int from) override;

  std::unique_ptr<Communicator> split(int color) override;
  std::unique_ptr<Communicator> split_by_node() override { return ranks_of_node(); }
  std::unique_ptr<NodeMemory> share_memory(std::size_t bytes) override;
  void close() override;

  /// Each rank sends to all others in a direct exchange.
  static constexpr int kMostDirect = 32;

  /// Holds the MPI_Comm, for the other sources of this layer.
  struct Handle;

 private:
  MpiCommunicator(std::unique_ptr<Handle> handle, std::size_t longest_message, int most_direct);
  std::unique_ptr<MpiCommunicator> ranks_of_node() const;
  template <typename T>
  void sum_in_messages(std::span<T> values);
  /// Whether sums in flight are exchanged directly, which sends more over the links of hosts that
  /// some ranks share, but not all. Collective at the first call.
  bool exchanges_directly();
  template <typename T>
  std::unique_ptr<PendingSum<T>> start_sum(Vector<T> values, Index count);

  std::unique_ptr<Handle> handle_;
  int rank_ = 0;
  int size_ = 1;
  std::size_t longest_message_;
  int most_direct_;
  std::optional<bool> direct_;
  int sums_started_ = 0;
};

}  // namespace sae
