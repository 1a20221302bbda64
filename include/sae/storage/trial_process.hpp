#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sae {

// libhdf5 crashes on some damaged files and reads others for ever. What it is to read is therefore
// read before in a process that may come to such an end.

/// Ends a trial that uses more processor time than so much from now on; that of a slow disk does
/// not count.
using LimitTime = std::function<void(std::chrono::seconds)>;

/// What a trial does; it calls what it is given whenever it gets on.
using Trial = std::function<void(const LimitTime&)>;

/// Runs the trial in a copy of this process. Returns how the copy failed, such as "ended by signal
/// 11 (Segmentation fault)", if it crashed or came to no end. Nothing if the trial returned or
/// threw, since the caller will see the same, and if there was no trial: the system may refuse to
/// copy the process. Whenever the trial gets on, `progress` is called here, if it is not empty.
/// Requires: no other thread runs, or holds what the trial uses, such as the allocator's lock; the
/// process has not started MPI. What the trial prints is lost. Local.
std::optional<std::string> failure_in_trial(const Trial& trial,
                                            const std::function<void()>& progress = {});

/// The same by a new process, where this one may not be copied: this program, started anew with
/// these arguments, at which it has to call run_trial().
std::optional<std::string> failure_in_new_process(const std::vector<std::string>& arguments,
                                                  const std::function<void()>& progress = {});

/// Runs the trial of failure_in_new_process(), and ends this process.
[[noreturn]] void run_trial(const Trial& trial);

}  // namespace sae
