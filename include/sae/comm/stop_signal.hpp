#pragma once

#include <string>

namespace sae {

/// Treats SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP (unless ignored), SIGQUIT and SIGXCPU as
/// requests to stop cleanly. A second signal of the same kind, or SIGINT after any, ends the
/// process at once. Copies within 0.2 s do not count: mpirun forwards signals that the terminal or
/// batch system also sent to the rank.
/// Requires: called before threads that compute are created; neither they nor the caller will
/// handle these signals.
void install_stop_signals();

/// Makes writes fail with an error where SIGPIPE or SIGXFSZ would end the process.
void ignore_signals_of_writes();

/// Whether this rank has received a stop signal. Local.
bool stop_requested();

/// The first stop signal, such as "SIGTERM"; empty if none. Local.
std::string stop_signal();

}  // namespace sae
