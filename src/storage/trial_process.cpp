#include "trial_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sae {
namespace {

constexpr int kOutOfTime = SIGPROF;
constexpr std::array kFatalSignals = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, kOutOfTime};

/// The copy dies of its own faults, without a trace, and of nothing that is meant for the job.
void prepare_copy() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int signal : kFatalSignals) {
    ::signal(signal, SIG_DFL);
    sigdelset(&blocked, signal);
  }
  sigprocmask(SIG_SETMASK, &blocked, nullptr);
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
}

void limit_time(std::chrono::seconds limit) {
  const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = limit.count(), .tv_usec = 0}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

[[noreturn]] void run_copy(const std::function<void(const LimitTime&)>& action) {
  prepare_copy();
  try {
    action(limit_time);
  } catch (...) {  // The caller will meet it.
  }
  _exit(0);  // Nothing of the parent may be flushed or finalized here.
}

}  // namespace

std::optional<std::string> failure_in_trial(const std::function<void(const LimitTime&)>& action) {
  const pid_t copy = fork();
  if (copy < 0) return std::nullopt;
  if (copy == 0) run_copy(action);
  int status = 0;
  while (waitpid(copy, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  if (WIFEXITED(status)) {
    // Sanitizers report a crash in this way.
    if (WEXITSTATUS(status) == 0) return std::nullopt;
    return fmt::format("ended with exit code {}", WEXITSTATUS(status));
  }
  const int signal = WTERMSIG(status);
  if (signal == kOutOfTime) return "came to no end";
  // Any other signal comes from outside, such as that of a system short of memory.
  if (std::ranges::find(kFatalSignals, signal) == kFatalSignals.end()) return std::nullopt;
  return fmt::format("ended by signal {} ({})", signal, strsignal(signal));
}

}  // namespace sae
