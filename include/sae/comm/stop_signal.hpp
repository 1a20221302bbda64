#pragma once

#include <string>

namespace sae {

/// Call it before threads are made that compute: they and this one will not handle these signals.
/// Takes SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP (unless it is ignored), SIGQUIT and SIGXCPU as
/// requests to stop in good order. The same signal once more, or SIGINT after any, ends the process
/// at once if it comes more than a moment after the first: mpirun passes on to each rank what a
/// terminal or a batch system may have sent to it already.
void install_stop_signals();

/// Makes errors of the writes from what would end the process by SIGPIPE or SIGXFSZ.
void ignore_signals_of_writes();

/// Whether such a signal has arrived at this rank. Local.
bool stop_requested();

/// The first that has, as "SIGTERM"; empty if there was none. Local.
std::string stop_signal();

}  // namespace sae
