#pragma once

#include <string>
#include <string_view>

#include "sae/core/types.hpp"

namespace sae {

// Numbers formatted for people.

/// Such as "55,000".
std::string grouped(Index value);

/// Such as "1 rank" or "2,000 ranks".
std::string plural(Index count, std::string_view noun);

/// Such as "0:07", "12:34" or "1:02:03".
std::string duration(double seconds);

/// Such as "78 MB".
std::string megabytes(double bytes);

}  // namespace sae
