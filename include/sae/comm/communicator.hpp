#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// An exchange or a sum on its way, which owns the memory that the transport reads and writes. One
/// that is dropped before it has arrived leaves that memory to the transport for good.
template <typename Values>
class Pending {
 public:
  virtual ~Pending() = default;
  /// Lets the transport work; true once everything has arrived. Local.
  virtual bool poll() = 0;
  /// What has arrived, once all of it has. To be called once.
  virtual Values wait() = 0;
};
using PendingExchange = Pending<std::vector<std::byte>>;
template <typename T>
using PendingSum = Pending<Vector<T>>;

class NodeMemory;

/// The ranks that train together. All members but rank(), size(), swap_with, send and receive are
/// collective: every rank must call them, in the same order.
/// Throws: CommunicationError naming the failed call.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool is_root() const { return rank() == 0; }

  /// Replaces each element by its sum over ranks; the same bits on every rank.
  virtual void allreduce_sum(std::span<float> values) = 0;
  virtual void allreduce_sum(std::span<double> values) = 0;
  /// Partial sums are rounded to bfloat16 on the way.
  virtual void allreduce_sum(std::span<bfloat16> values) = 0;

  /// Whether the condition holds on any rank.
  bool any(bool condition) {
    double ranks = condition ? 1 : 0;
    allreduce_sum(std::span(&ranks, 1));
    return ranks > 0;
  }

  /// Starts to do with the first `count` values what allreduce_sum does; the others stay as they
  /// are. Moves on only while somebody polls.
  virtual std::unique_ptr<PendingSum<float>> start_allreduce_sum(Vector<float> values,
                                                                 Index count) = 0;
  virtual std::unique_ptr<PendingSum<bfloat16>> start_allreduce_sum(Vector<bfloat16> values,
                                                                    Index count) = 0;

  /// Copies the root's bytes to every rank; the sizes must agree.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;

  /// Rank r's text at position r, on every rank.
  virtual std::vector<std::string> allgather(const std::string& text) = 0;

  /// The values of rank 0, then those of rank 1, and so on, on every rank.
  template <typename T>
  std::vector<T> allgather_values(std::span<const T> own) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<T> all;
    for (const std::string& bytes :
         allgather({reinterpret_cast<const char*>(own.data()), own.size_bytes()})) {
      const std::size_t begin = all.size();
      all.resize(begin + bytes.size() / sizeof(T));
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(all.data() + begin));
    }
    return all;
  }

  /// Starts to send consecutive parts of `send` (send_counts[r] records to rank r) and to receive
  /// receive_counts[r] records from each rank r, which arrive in the order of ranks.
  virtual std::unique_ptr<PendingExchange> start_exchange(
      std::vector<std::byte> send, std::size_t record_bytes, std::span<const Index> send_counts,
      std::span<const Index> receive_counts) = 0;

  /// The ranks that give the same color, in their order.
  virtual std::unique_ptr<Communicator> split(int color) = 0;
  /// The ranks of this node, in their order.
  virtual std::unique_ptr<Communicator> split_by_node() = 0;
  /// Memory of the node with `bytes` for this rank; others may ask for more or less.
  /// Throws: CommunicationError, also where there is no shared memory left.
  virtual std::unique_ptr<NodeMemory> share_memory(std::size_t bytes) = 0;
  /// Gives back what is held for it, else kept until MPI ends; it is not used any more.
  virtual void close() = 0;

  /// Waits for all, asleep for most of the time: one of them may read or write files for long.
  virtual void barrier() = 0;

  /// Sends to and receives from the same other rank, which does likewise.
  virtual void swap_with(std::span<const std::byte> send, std::span<std::byte> receive,
                         int partner) = 0;

  /// One block of bytes to or from one other rank, in order. Not collective: a send
  /// needs its receive of the same size.
  virtual void send(std::span<const std::byte> bytes, int to) = 0;
  virtual void receive(std::span<std::byte> bytes, int from) = 0;
};

}  // namespace sae
