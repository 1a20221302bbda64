#pragma once

#include <mpi.h>

#include <memory>
#include <vector>

#include "sae/comm/communicator.hpp"

namespace sae {

/// A sum in two rounds, whatever the number of ranks: each rank sends every other one the block of
/// the values that the other owns, adds up its own block in the order of ranks, in float also if
/// bfloat16 travels, and sends the sum to all. Each direction of a link carries 2 (n - 1) / n of
/// the values of n ranks, the least there is (Thakur et al., IJHPCA 19, 2005, section 4.5). A few
/// bytes take one round: every rank receives all values of every other one. All ranks get the same
/// bits.
template <typename T>
class DirectSum final : public Pending<Vector<T>> {
 public:
  /// Of the first `count` values. `tag` and tag + 1 belong to this sum while it is in flight.
  /// Throws: CommunicationError.
  DirectSum(Vector<T> values, Index count, MPI_Comm communicator, int tag);
  DirectSum(const DirectSum&) = delete;
  DirectSum& operator=(const DirectSum&) = delete;
  ~DirectSum() override;

  bool poll() override;
  Vector<T> wait() override;

 private:
  enum class Round { kGiveBlocks, kGiveSums, kDone };
  /// What MPI reads and writes.
  struct Memory {
    Vector<T> values;
    Vector<T> others;  // The own block of each other rank, in their order.
  };

  Range block_of(int rank) const;
  void receive(T* to, Index size, int from, int tag);
  void send(Range block, int to, int tag);
  void give_blocks();
  void add_up();
  void give_sums();
  /// Calls action(rank) for the other ranks, each rank in another order, so that not all send to
  /// the same one.
  template <typename Action>
  void for_others(const Action& action) const;

  MPI_Comm communicator_;
  int tag_;
  int rank_ = 0;
  int ranks_ = 1;
  Index count_;
  bool one_round_;
  Round round_ = Round::kGiveBlocks;
  std::unique_ptr<Memory> memory_;
  std::vector<MPI_Request> requests_;
};

}  // namespace sae
