#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/core/types.hpp"

namespace sae {

class CommunicationError : public Error {
 public:
  explicit CommunicationError(const std::string& sentence) : Error(ExitCode::kInternal, sentence) {}
};

/// An exchange or a sum in flight. Owns the memory that MPI reads and writes; if destroyed before
/// completion it leaks that memory, since MPI may still use it.
template <typename Values>
class Pending {
 public:
  virtual ~Pending() = default;
  /// Makes progress; returns whether the operation is complete. Local.
  virtual bool poll() = 0;
  /// Waits for completion and returns the result. Requires: called once.
  virtual Values wait() = 0;
};
using PendingExchange = Pending<std::vector<std::byte>>;
template <typename T>
using PendingSum = Pending<Vector<T>>;

class NodeMemory;

/// The ranks that train together.
/// Collective: every member but rank(), size(), swap_with, send and receive; all ranks call them in
/// the same order.
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
  /// Partial sums are rounded to bfloat16.
  virtual void allreduce_sum(std::span<bfloat16> values) = 0;

  /// Whether the condition holds on any rank.
  bool any(bool condition) {
    double ranks = condition ? 1 : 0;
    allreduce_sum(std::span(&ranks, 1));
    return ranks > 0;
  }

  /// Starts an allreduce_sum of the first `count` values; leaves the others as they are. Makes
  /// progress only in poll() and wait(). In bfloat16 few ranks round only the sum, many also
  /// partial sums.
  virtual std::unique_ptr<PendingSum<float>> start_allreduce_sum(Vector<float> values,
                                                                 Index count) = 0;
  virtual std::unique_ptr<PendingSum<bfloat16>> start_allreduce_sum(Vector<bfloat16> values,
                                                                    Index count) = 0;
  virtual std::unique_ptr<PendingSum<double>> start_allreduce_sum(Vector<double> values,
                                                                  Index count) = 0;

  /// Copies the root's bytes to every rank; the sizes must agree.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;

  /// Returns rank r's text at position r, on every rank.
  virtual std::vector<std::string> allgather(const std::string& text) = 0;

  /// Returns the values of all ranks in the order of ranks, on every rank.
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

  /// Starts an all-to-all exchange: sends the next send_counts[r] records of `send` to each rank r
  /// in turn, receives receive_counts[r] records from it. Received records are in the order of
  /// ranks.
  virtual std::unique_ptr<PendingExchange> start_exchange(
      std::vector<std::byte> send, std::size_t record_bytes, std::span<const Index> send_counts,
      std::span<const Index> receive_counts) = 0;

  /// A communicator of the ranks that pass the same color, in their order.
  virtual std::unique_ptr<Communicator> split(int color) = 0;
  /// A communicator of the ranks of this node, in their order.
  virtual std::unique_ptr<Communicator> split_by_node() = 0;
  /// Allocates shared memory of the node with a segment of `bytes` for this rank; `bytes` may
  /// differ between ranks.
  /// Throws: CommunicationError, also if shared memory is exhausted.
  virtual std::unique_ptr<NodeMemory> share_memory(std::size_t bytes) = 0;
  /// Frees the communicator, which MPI otherwise keeps until it is finalized. No member may be
  /// called afterwards.
  virtual void close() = 0;

  /// Waits for all ranks. Sleeps between polls: a rank may read or write files for long.
  virtual void barrier() = 0;

  /// Exchanges bytes with one other rank, which makes the same call.
  virtual void swap_with(std::span<const std::byte> send, std::span<std::byte> receive,
                         int partner) = 0;

  /// Sends or receives one message. Local, but each send needs a receive of the same size.
  virtual void send(std::span<const std::byte> bytes, int to) = 0;
  virtual void receive(std::span<std::byte> bytes, int from) = 0;
};

}  // namespace sae
