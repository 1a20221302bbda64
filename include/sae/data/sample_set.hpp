#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sae/core/random.hpp"
#include "sae/data/dataset_file.hpp"

namespace sae {

/// One bit for each sample of a split.
class SampleMask {
 public:
  SampleMask() = default;
  explicit SampleMask(Index samples)
      : samples_(samples), words_(static_cast<std::size_t>((samples + 63) / 64)) {}

  Index samples() const { return samples_; }
  bool operator[](Index sample) const { return (word(sample) >> (sample % 64) & 1U) != 0; }
  void set(Index sample) {
    words_[static_cast<std::size_t>(sample / 64)] |= std::uint64_t{1} << (sample % 64);
  }
  std::span<std::uint64_t> words() { return words_; }
  std::span<const std::uint64_t> words() const { return words_; }

 private:
  std::uint64_t word(Index sample) const { return words_[static_cast<std::size_t>(sample / 64)]; }

  Index samples_ = 0;
  std::vector<std::uint64_t> words_;
};

/// Some samples of a split, in the order of the file, which their positions count from 0.
class SampleSet {
 public:
  SampleSet() = default;
  SampleSet(Split split, Range samples) : split_(split), samples_(samples) {}
  /// Those whose bit is `value`.
  SampleSet(Split split, const SampleMask& mask, bool value);

  Split split() const { return split_; }
  Index size() const { return samples_.size(); }
  /// The sample of the split at `position`, in [0, size()).
  Index sample_at(Index position) const;
  bool is_range() const { return words_.empty(); }
  /// Requires: `sample` is in the split.
  bool contains(Index sample) const;

 private:
  Split split_ = Split::kTrain;
  Range samples_{0, 0};  ///< Itself if the set is a range; else [0, size).
  std::vector<std::uint64_t> words_;
  std::vector<Index> before_;  ///< Samples of the set before each word.
};

/// Draws samples of each class by the seed, so many as its quota, in one pass over all samples
/// (Knuth, 'The Art of Computer Programming', vol. 2, section 3.4.2, algorithm S).
class StratifiedDraw {
 public:
  /// `counts` and `quotas` are by class. Requires: no quota is larger than its count.
  StratifiedDraw(std::uint64_t seed, RandomPurpose purpose, std::vector<Index> counts,
                 std::vector<Index> quotas);
  /// Whether this sample, the next of its class, is drawn.
  bool draw(Index sample, std::size_t of_class);

 private:
  std::uint64_t seed_;
  RandomPurpose purpose_;
  std::vector<Index> left_;    ///< Samples of each class that are still to come.
  std::vector<Index> needed_;  ///< How many of them are to be drawn.
};

/// `total` divided in proportion to the counts, by largest remainders; on a tie the first. Their
/// sum is the smaller of `total` and the sum of the counts.
std::vector<Index> proportional_quotas(const std::vector<Index>& counts, Index total);

/// `total` divided as evenly as the counts allow; the first get one more. Their sum is the smaller
/// of `total` and the sum of the counts.
std::vector<Index> balanced_quotas(const std::vector<Index>& counts, Index total);

}  // namespace sae
