#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"

namespace sae {

/// The command that the arguments ask for; none if they are wrong, which rank 0 says. The same on
/// every rank. Collective.
std::optional<Command> parse_arguments(const std::vector<std::string>& arguments,
                                       Communicator& comm);

/// Does what is asked for. `fault`: what is wrong with how the ranks were started; empty if nothing
/// is. Collective. Throws: Error of every kind but UsageError.
ExitCode run_command(const Command& command, Communicator& comm, const std::string& fault);

/// To be called where an exception was caught that ends the program: says what went wrong, and ends
/// all ranks, since one that returned normally would leave the others waiting. Returns the exit
/// code where there is one rank, or all have found the same.
int end_by_exception(const Communicator& comm);

}  // namespace sae
