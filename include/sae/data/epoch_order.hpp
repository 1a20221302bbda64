#pragma once

#include <array>
#include <cstdint>

#include "sae/core/types.hpp"

namespace sae {

/// The order of the samples of one epoch: a permutation keyed by (seed, stage, epoch), without a
/// table. An alternating Feistel network over the smallest power of two that holds all samples;
/// cycle walking maps results back into the range (Black and Rogaway, 'Ciphers with arbitrary
/// finite domains', CT-RSA 2002), in fewer than two steps on average.
class EpochOrder {
 public:
  /// Requires: 1 <= sample_count <= 2^32.
  EpochOrder(std::uint64_t seed, std::uint32_t stage, std::uint32_t epoch, Index sample_count);

  Index sample_count() const { return sample_count_; }

  /// The sample at `position`, both in [0, sample_count).
  Index sample_at(Index position) const;

  /// The position of `sample`; the inverse of sample_at.
  Index position_of(Index sample) const;

 private:
  static constexpr int kRounds = 8;

  std::uint64_t encrypt(std::uint64_t value) const;
  std::uint64_t decrypt(std::uint64_t value) const;
  void apply_round(int round, std::uint64_t& left, std::uint64_t& right) const;

  Index sample_count_;
  int right_bits_ = 0;
  std::uint64_t left_mask_ = 0;
  std::uint64_t right_mask_ = 0;
  std::array<std::uint64_t, kRounds> round_keys_{};
};

}  // namespace sae
