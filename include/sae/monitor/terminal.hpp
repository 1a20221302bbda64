#pragma once

#include <optional>

namespace sae {

/// Columns of the terminal on which a person watches this process, if there is one. Under
/// mpirun that is mpirun's terminal: a rank's own output is always a pipe or a pseudo terminal.
std::optional<int> terminal_columns();

}  // namespace sae
