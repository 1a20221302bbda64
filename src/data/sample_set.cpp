#include "sae/data/sample_set.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <numeric>
#include <utility>

namespace sae {

SampleSet::SampleSet(Split split, const SampleMask& mask, bool value) : split_(split) {
  Index size = 0;
  for (std::uint64_t word : mask.words()) {
    if (!value) word = ~word;
    const Index first = 64 * static_cast<Index>(words_.size());
    const Index bits = std::min<Index>(mask.samples() - first, 64);
    if (bits < 64) word &= (std::uint64_t{1} << bits) - 1;
    words_.push_back(word);
    before_.push_back(size);
    size += std::popcount(word);
  }
  samples_ = {0, size};
}

Index SampleSet::sample_at(Index position) const {
  assert(0 <= position && position < size());
  if (is_range()) return samples_.begin + position;
  const auto after = std::ranges::upper_bound(before_, position);
  const auto at = static_cast<std::size_t>(after - before_.begin()) - 1;
  std::uint64_t word = words_[at];
  for (Index left = position - before_[at]; left > 0; --left) word &= word - 1;
  return 64 * static_cast<Index>(at) + std::countr_zero(word);
}

bool SampleSet::contains(Index sample) const {
  if (is_range()) return samples_.contains(sample);
  return (words_[static_cast<std::size_t>(sample / 64)] >> (sample % 64) & 1U) != 0;
}

StratifiedDraw::StratifiedDraw(std::uint64_t seed, RandomPurpose purpose, std::vector<Index> counts,
                               std::vector<Index> quotas)
    : seed_(seed), purpose_(purpose), left_(std::move(counts)), needed_(std::move(quotas)) {}

bool StratifiedDraw::draw(Index sample, std::size_t of_class) {
  const auto word = random_words(
      {.seed = seed_, .purpose = purpose_, .sample = static_cast<std::uint32_t>(sample)}, 0)[0];
  const double unit = word / 4294967296.0;
  const bool drawn =
      unit * static_cast<double>(left_[of_class]--) < static_cast<double>(needed_[of_class]);
  if (drawn) --needed_[of_class];
  return drawn;
}

std::vector<Index> proportional_quotas(const std::vector<Index>& counts, Index total) {
  const Index all = std::accumulate(counts.begin(), counts.end(), Index{0});
  if (total >= all) return counts;
  std::vector<Index> quotas;
  std::vector<std::size_t> by_remainder(counts.size());
  std::vector<double> remainders;
  for (const Index count : counts) {
    const double share =
        static_cast<double>(total) * static_cast<double>(count) / static_cast<double>(all);
    quotas.push_back(static_cast<Index>(share));
    remainders.push_back(share - static_cast<double>(quotas.back()));
  }
  std::iota(by_remainder.begin(), by_remainder.end(), std::size_t{0});
  std::ranges::stable_sort(by_remainder, std::greater<>(),
                           [&](std::size_t c) { return remainders[c]; });
  Index missing = total - std::accumulate(quotas.begin(), quotas.end(), Index{0});
  for (auto c = by_remainder.begin(); missing > 0; ++c) {
    assert(c != by_remainder.end());
    if (quotas[*c] == counts[*c]) continue;
    ++quotas[*c];
    --missing;
  }
  return quotas;
}

std::vector<Index> balanced_quotas(const std::vector<Index>& counts, Index total) {
  std::vector<Index> quotas(counts.size(), 0);
  const auto has_more = [&](std::size_t c) { return quotas[c] < counts[c]; };
  while (total > 0) {
    Index open = 0;
    for (std::size_t c = 0; c < counts.size(); ++c) open += has_more(c) ? 1 : 0;
    if (open == 0) break;
    const Index each = std::max<Index>(total / open, 1);
    for (std::size_t c = 0; c < counts.size() && total > 0; ++c) {
      const Index more = std::min({each, counts[c] - quotas[c], total});
      quotas[c] += more;
      total -= more;
    }
  }
  return quotas;
}

}  // namespace sae
