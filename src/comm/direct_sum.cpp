#include "direct_sum.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "check.hpp"
#include "sae/kernels/bfloat16.hpp"

namespace sae {
namespace {

MPI_Datatype type_of(float /*element*/) { return MPI_FLOAT; }
MPI_Datatype type_of(bfloat16 /*element*/) { return MPI_UINT16_T; }

void store(std::span<const float> sums, std::span<float> to) {
  std::ranges::copy(sums, to.begin());
}
void store(std::span<const float> sums, std::span<bfloat16> to) { round_to_bfloat16(sums, to); }

}  // namespace

template <typename T>
DirectSum<T>::DirectSum(std::span<T> values, MPI_Comm communicator, int tag)
    : values_(values), communicator_(communicator), tag_(tag) {
  check_mpi(MPI_Comm_rank(communicator, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(communicator, &size_), "MPI_Comm_size");
  received_.resize(static_cast<std::size_t>(size_));
  for (int other = 0; other < size_; ++other) {
    if (other == rank_) continue;
    auto& from_other = received_[static_cast<std::size_t>(other)];
    from_other.resize(static_cast<Index>(range_of(rank_).size()));
    receive({from_other.data(), range_of(rank_).size()}, other);
  }
  for (int i = 1; i < size_; ++i) {
    const int other = (rank_ + i) % size_;  // Not all to the same rank at first.
    send(range_of(other), other);
  }
}

template <typename T>
std::span<T> DirectSum<T>::range_of(int rank) const {
  const auto begin_of = [this](int r) {
    return values_.size() * static_cast<std::size_t>(r) / static_cast<std::size_t>(size_);
  };
  return values_.subspan(begin_of(rank), begin_of(rank + 1) - begin_of(rank));
}

template <typename T>
void DirectSum<T>::send(std::span<T> values, int to) {
  check_mpi(MPI_Isend(values.data(), static_cast<int>(values.size()), type_of(T{}), to, tag_,
                      communicator_, &requests_.emplace_back(MPI_REQUEST_NULL)),
            "MPI_Isend");
}

template <typename T>
void DirectSum<T>::receive(std::span<T> values, int from) {
  check_mpi(MPI_Irecv(values.data(), static_cast<int>(values.size()), type_of(T{}), from, tag_,
                      communicator_, &requests_.emplace_back(MPI_REQUEST_NULL)),
            "MPI_Irecv");
}

template <typename T>
bool DirectSum<T>::poll() {
  while (round_ != Round::kDone) {
    int done = 0;
    check_mpi(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done,
                          MPI_STATUSES_IGNORE),
              "MPI_Testall");
    if (done == 0) return false;
    next_round();
  }
  return true;
}

template <typename T>
void DirectSum<T>::wait() {
  while (round_ != Round::kDone) {
    check_mpi(
        MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE),
        "MPI_Waitall");
    next_round();
  }
}

template <typename T>
void DirectSum<T>::next_round() {
  requests_.clear();
  if (round_ == Round::kGather) {
    round_ = Round::kDone;
    return;
  }
  round_ = Round::kGather;
  ++tag_;
  add_received();
  for (int other = 0; other < size_; ++other) {
    if (other != rank_) receive(range_of(other), other);
  }
  for (int i = 1; i < size_; ++i) send(range_of(rank_), (rank_ + i) % size_);
}

template <typename T>
void DirectSum<T>::add_received() {
  const std::span<T> own = range_of(rank_);
  constexpr std::size_t kBlock = 1024;
  std::array<float, kBlock> memory;
  for (std::size_t begin = 0; begin < own.size(); begin += kBlock) {
    const std::size_t length = std::min(kBlock, own.size() - begin);
    const std::span sum(memory.data(), length);
    std::ranges::fill(sum, 0.0f);
    for (int r = 0; r < size_; ++r) {
      const T* const from = r == rank_ ? own.data() : received_[static_cast<std::size_t>(r)].data();
      add_widened(std::span<const T>(from + begin, length), sum);
    }
    store(sum, own.subspan(begin, length));
  }
}

template class DirectSum<float>;
template class DirectSum<bfloat16>;

}  // namespace sae
