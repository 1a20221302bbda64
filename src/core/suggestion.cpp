#include "sae/core/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sae {
namespace {

/// Words of up to four letters are too similar for two mistakes.
std::size_t likely_mistakes(std::string_view word) { return word.size() <= 4 ? 1 : 2; }

/// The names that have `word` as their last words, or else as their first ones.
std::vector<std::string> longer_names(std::string_view word,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> ends;
  std::vector<std::string> begins;
  for (const std::string& name : names) {
    if (name.ends_with(fmt::format("-{}", word))) ends.push_back(name);
    if (name.starts_with(fmt::format("{}-", word))) begins.push_back(name);
  }
  return ends.empty() ? begins : ends;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Row i has the distances from the first i letters of `a`. Three rows are enough.
  std::vector<std::size_t> two_before(b.size() + 1);
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(two_before, before);
    std::swap(before, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names,
                         std::string_view prefix) {
  const std::string* closest = nullptr;
  std::size_t least = likely_mistakes(word) + 1;
  for (const std::string& name : names) {
    const std::size_t distance = edit_distance(word, name);
    if (distance >= least) continue;
    least = distance;
    closest = &name;
  }
  std::vector<std::string> meant;
  if (closest != nullptr) {
    meant.push_back(*closest);
  } else if (!word.empty()) {
    meant = longer_names(word, names);
  }
  if (meant.empty()) return "";
  for (std::string& name : meant) name.insert(0, prefix);
  return fmt::format(" Did you mean {}?", fmt::join(meant, " or "));
}

}  // namespace sae
