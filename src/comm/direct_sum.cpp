#include "direct_sum.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "check.hpp"
#include "element_type.hpp"
#include "sae/core/partition.hpp"
#include "sae/kernels/bfloat16.hpp"

namespace sae {
namespace {

constexpr std::size_t kFewBytes = std::size_t{4} << 10;
/// A longer message waits until its receiver has asked for it, which it does only when it polls.
constexpr std::size_t kPieceBytes = std::size_t{60} << 10;
constexpr Index kLineBytes = 64;

/// Calls action(begin, size) for the pieces in which `size` elements travel.
template <typename T, typename Action>
void in_pieces(Index size, const Action& action) {
  constexpr auto kPiece = static_cast<Index>(kPieceBytes / sizeof(T));
  for (Index begin = 0; begin < size; begin += kPiece) {
    action(begin, static_cast<int>(std::min(kPiece, size - begin)));
  }
}

}  // namespace

template <typename T>
DirectSum<T>::DirectSum(Vector<T> values, Index count, MPI_Comm communicator, int tag)
    : communicator_(communicator),
      tag_(tag),
      count_(count),
      one_round_(static_cast<std::size_t>(count) * sizeof(T) <= kFewBytes),
      memory_(std::make_unique<Memory>(Memory{std::move(values), {}})) {
  check_mpi(MPI_Comm_rank(communicator, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(communicator, &ranks_), "MPI_Comm_size");
  give_blocks();
}

template <typename T>
DirectSum<T>::~DirectSum() {
  // A destructor must not wait for other ranks, which may still send.
  const auto active = [](MPI_Request request) { return request != MPI_REQUEST_NULL; };
  if (std::ranges::any_of(requests_, active)) static_cast<void>(memory_.release());
}

template <typename T>
Range DirectSum<T>::block_of(int rank) const {
  if (one_round_) return {0, count_};
  return part_in_blocks({0, count_}, kLineBytes / static_cast<Index>(sizeof(T)), rank, ranks_);
}

template <typename T>
template <typename Action>
void DirectSum<T>::for_others(const Action& action) const {
  for (int i = 1; i < ranks_; ++i) action((rank_ + i) % ranks_);
}

template <typename T>
void DirectSum<T>::receive(T* to, Index size, int from, int tag) {
  in_pieces<T>(size, [&](Index begin, int count) {
    check_mpi(MPI_Irecv(to + begin, count, element_type<T>(), from, tag, communicator_,
                        &requests_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Irecv");
  });
}

template <typename T>
void DirectSum<T>::send(Range block, int to, int tag) {
  in_pieces<T>(block.size(), [&](Index begin, int count) {
    check_mpi(MPI_Isend(memory_->values.data() + block.begin + begin, count, element_type<T>(), to,
                        tag, communicator_, &requests_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Isend");
  });
}

template <typename T>
void DirectSum<T>::give_blocks() {
  const Index own = block_of(rank_).size();
  memory_->others.resize((ranks_ - 1) * own);
  for_others([&](int from) {
    receive(memory_->others.data() + (from < rank_ ? from : from - 1) * own, own, from, tag_);
  });
  for_others([&](int to) { send(block_of(to), to, tag_); });
}

template <typename T>
void DirectSum<T>::add_up() {
  using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
  constexpr Index kElements = 1024;
  std::array<Sum, kElements> sum;
  const Range own = block_of(rank_);
  for (Index begin = 0; begin < own.size(); begin += kElements) {
    const auto size = std::min(kElements, own.size() - begin);
    T* const values = memory_->values.data() + own.begin + begin;
    std::fill_n(sum.begin(), size, Sum{0});
    for (int r = 0, other = 0; r < ranks_; ++r) {
      const T* const from =
          r == rank_ ? values : memory_->others.data() + other++ * own.size() + begin;
      for (Index i = 0; i < size; ++i)
        sum[static_cast<std::size_t>(i)] += widened(bits_of(from)[i]);
    }
    for (Index i = 0; i < size; ++i) store(sum[static_cast<std::size_t>(i)], bits_of(values)[i]);
  }
}

template <typename T>
void DirectSum<T>::give_sums() {
  for_others([&](int from) {
    const Range block = block_of(from);
    receive(memory_->values.data() + block.begin, block.size(), from, tag_ + 1);
  });
  for_others([&](int to) { send(block_of(rank_), to, tag_ + 1); });
}

template <typename T>
bool DirectSum<T>::poll() {
  while (round_ != Round::kDone) {
    int arrived = 0;
    check_mpi(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &arrived,
                          MPI_STATUSES_IGNORE),
              "MPI_Testall");
    if (arrived == 0) return false;
    requests_.clear();
    if (round_ == Round::kGiveBlocks) add_up();
    if (round_ == Round::kGiveBlocks && !one_round_) {
      give_sums();
      round_ = Round::kGiveSums;
    } else {
      round_ = Round::kDone;
    }
  }
  return true;
}

template <typename T>
Vector<T> DirectSum<T>::wait() {
  while (!poll()) continue;
  return std::move(memory_->values);
}

template class DirectSum<float>;
template class DirectSum<double>;
template class DirectSum<bfloat16>;

}  // namespace sae
