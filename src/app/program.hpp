#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"

namespace sae {

/// `sae_dist generate KIND`, which needs no MPI. Returns the exit code.
int print_shell_file(const std::string& kind);

/// Parses the arguments. If they are wrong, rank 0 prints why and all ranks get none. Collective.
std::optional<Command> parse_arguments(const std::vector<std::string>& arguments,
                                       Communicator& comm);

/// Runs the command. `fault` says what is wrong with how the ranks were started, else is empty.
/// Collective. Throws: Error of every kind but UsageError.
ExitCode run_command(const Command& command, Communicator& comm, const std::string& fault);

/// Prints the current exception and aborts all ranks, because a rank that returned normally would
/// leave the others waiting. Returns the exit code if there is one rank, or if all ranks threw the
/// same.
/// Requires: called in a catch block.
int end_by_exception(const Communicator& comm);

}  // namespace sae
