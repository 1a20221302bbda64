#pragma once

#include <mpi.h>

#include <span>
#include <vector>

#include "sae/core/types.hpp"

namespace sae {

/// A sum over ranks in two rounds of messages, whatever their number. Each rank owns a range of the
/// values: it receives that range from all others, adds them in float in the order of ranks, and
/// sends the sum, rounded once, to all. So each rank sends 2 (n - 1) / n of the values, as little
/// as a ring does in 2 (n - 1) rounds.
template <typename T>
class DirectSum {
 public:
  /// Begins. All ranks give as many values, which must stay until it is complete; no other message
  /// has `tag` or the next one.
  /// Throws, as all members: CommunicationError.
  DirectSum(std::span<T> values, MPI_Comm communicator, int tag);

  /// Makes progress; returns whether the sum is complete. Local.
  bool poll();
  void wait();
  bool is_complete() const { return round_ == Round::kDone; }

 private:
  enum class Round { kScatter, kGather, kDone };

  std::span<T> range_of(int rank) const;
  void send(std::span<T> values, int to);
  void receive(std::span<T> values, int from);
  void next_round();
  void add_received();

  std::span<T> values_;
  MPI_Comm communicator_;
  int tag_;
  int rank_ = 0;
  int size_ = 1;
  Round round_ = Round::kScatter;
  std::vector<Vector<T>> received_;  // By rank: its values in the range of this rank.
  std::vector<MPI_Request> requests_;
};

}  // namespace sae
