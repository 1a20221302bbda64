#include "sae/core/choices.hpp"

#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <sstream>

namespace sae {

std::vector<std::string> words_of(std::string text) {
  std::ranges::replace(text, ',', ' ');
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::string joined(const std::vector<std::string>& words) {
  const bool same = std::ranges::adjacent_find(words, std::not_equal_to<>()) == words.end();
  return same && !words.empty() ? words[0] : fmt::format("{}", fmt::join(words, ","));
}

}  // namespace sae
