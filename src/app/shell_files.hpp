#pragma once

#include <string>

namespace sae {

// What packages install beside the program, made of what its commands declare.

/// Functions that complete commands, options and their values.
std::string bash_completion();
std::string zsh_completion();

/// The manual page, as roff.
std::string manual_page();

/// The one of these texts that `kind` names: bash, zsh or man. Throws: UsageError.
std::string shell_file(const std::string& kind);

}  // namespace sae
