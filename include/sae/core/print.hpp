#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace sae {

/// Writes a text for the user, at once. Returns whether that was possible: never throws, since a
/// terminal that is gone or a full disk must not end what goes on. Local.
bool print_to(std::FILE* file, std::string_view text) noexcept;

/// A word of a command to copy: in quotes where a shell would take it for something else.
std::string shell_word(const std::string& text);

}  // namespace sae
