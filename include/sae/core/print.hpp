#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace sae {

/// Writes and flushes a text for the user. Returns whether that succeeded. Never throws: a closed
/// terminal or a full disk must not end training. Local.
bool print_to(std::FILE* file, std::string_view text) noexcept;

/// A word of a command line, quoted if a shell needs it.
std::string shell_word(const std::string& text);

}  // namespace sae
