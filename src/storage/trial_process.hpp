#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace sae {

// libhdf5 crashes on some damaged files and reads others for ever. What it is to read is therefore
// read before in a process that may come to such an end.

/// Ends a trial that uses more processor time than so much from now on; that of a slow disk does
/// not count.
using LimitTime = std::function<void(std::chrono::seconds)>;

/// Runs `action` in a copy of this process. Returns how the copy failed, such as "ended by signal
/// 11 (Segmentation fault)", if it crashed or came to no end. Nothing if `action` returned or
/// threw, since the caller will see the same, and if there was no trial: the system may refuse to
/// copy the process. Requires: `action` uses nothing that other threads or processes share, such as
/// MPI. What it prints is lost. Local.
std::optional<std::string> failure_in_trial(const std::function<void(const LimitTime&)>& action);

}  // namespace sae
