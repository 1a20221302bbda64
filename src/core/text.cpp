#include "sae/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sae {

std::string grouped(Index value) {
  std::string digits = fmt::format("{}", value);
  for (auto i = static_cast<Index>(digits.size()) - 3; i > (value < 0 ? 1 : 0); i -= 3) {
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return digits;
}

std::string plural(Index count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string duration(double seconds) {
  const auto whole = static_cast<Index>(std::llround(std::max(seconds, 0.0)));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string megabytes(double bytes) { return fmt::format("{:.0f} MB", bytes / 1e6); }

}  // namespace sae
