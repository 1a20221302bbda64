#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace sae {

/// What random words are used for. Part of the counter, so no two uses share words.
enum class RandomPurpose : std::uint32_t {
  kInitialWeights = 1,
  kOrder = 2,
  kNoise = 3,
  kValidationSet = 4,
  kLabelledSet = 5,
  kDistortion = 6
};

/// Key of a stream of random words. Never contains rank, thread or time: every rank that asks for
/// the same key gets the same words.
struct RandomKey {
  std::uint64_t seed = 0;
  RandomPurpose purpose = RandomPurpose::kInitialWeights;
  std::uint32_t stage = 0;   ///< Position of the stage in the run; at most 65,535.
  std::uint32_t epoch = 0;   ///< Counted from 1; 0 where there is none.
  std::uint32_t sample = 0;  ///< Global index of the sample; 0 where there is none.
};

/// Words 4 * block ... 4 * block + 3 of the stream: Philox4x32-10 with the seed as
/// its key (Salmon et al., 'Parallel random numbers: as easy as 1, 2, 3', SC 2011).
std::array<std::uint32_t, 4> random_words(const RandomKey& key, std::uint32_t block);

/// Fills `words` with the first words of the stream, several blocks at a time.
void fill_with_random_words(const RandomKey& key, std::span<std::uint32_t> words);

}  // namespace sae
