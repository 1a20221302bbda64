#pragma once

namespace sae {

/// Takes SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 as requests to stop in good order. A second
/// signal, more than a moment after the first, ends the process at once: mpirun passes on to each
/// rank what a terminal or a batch system may have sent to it already.
void install_stop_signals();

/// Whether such a signal has arrived at this rank. Local.
bool stop_requested();

}  // namespace sae
