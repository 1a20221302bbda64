#include "sae/data/epoch_order.hpp"

#include <bit>
#include <cassert>

#include "sae/core/random.hpp"

namespace sae {
namespace {

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): each input bit flips each
/// output bit with probability near one half.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

EpochOrder::EpochOrder(std::uint64_t seed, std::uint32_t stage, std::uint32_t epoch,
                       Index sample_count)
    : sample_count_(sample_count) {
  assert(1 <= sample_count && sample_count <= (Index{1} << 32));
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(sample_count - 1)));
  const int left_bits = bits / 2;
  right_bits_ = bits - left_bits;
  left_mask_ = (std::uint64_t{1} << left_bits) - 1;
  right_mask_ = (std::uint64_t{1} << right_bits_) - 1;
  const RandomKey key{
      .seed = seed, .purpose = RandomPurpose::kOrder, .stage = stage, .epoch = epoch};
  for (std::size_t i = 0; i < round_keys_.size(); ++i) {
    const auto words = random_words(key, static_cast<std::uint32_t>(i));
    round_keys_[i] = (std::uint64_t{words[0]} << 32) | words[1];
  }
}

void EpochOrder::apply_round(int round, std::uint64_t& left, std::uint64_t& right) const {
  const std::uint64_t round_key = round_keys_[static_cast<std::size_t>(round)];
  // A round is its own inverse: it XORs one half with a function of the other.
  if (round % 2 == 0) {
    right ^= mix(left + round_key) & right_mask_;
  } else {
    left ^= mix(right + round_key) & left_mask_;
  }
}

std::uint64_t EpochOrder::encrypt(std::uint64_t value) const {
  std::uint64_t left = value >> right_bits_;
  std::uint64_t right = value & right_mask_;
  for (int round = 0; round < kRounds; ++round) apply_round(round, left, right);
  return (left << right_bits_) | right;
}

std::uint64_t EpochOrder::decrypt(std::uint64_t value) const {
  std::uint64_t left = value >> right_bits_;
  std::uint64_t right = value & right_mask_;
  for (int round = kRounds - 1; round >= 0; --round) apply_round(round, left, right);
  return (left << right_bits_) | right;
}

Index EpochOrder::sample_at(Index position) const {
  assert(0 <= position && position < sample_count_);
  auto value = static_cast<std::uint64_t>(position);
  do {
    value = encrypt(value);
  } while (static_cast<Index>(value) >= sample_count_);
  return static_cast<Index>(value);
}

Index EpochOrder::position_of(Index sample) const {
  assert(0 <= sample && sample < sample_count_);
  auto value = static_cast<std::uint64_t>(sample);
  do {
    value = decrypt(value);
  } while (static_cast<Index>(value) >= sample_count_);
  return static_cast<Index>(value);
}

}  // namespace sae
