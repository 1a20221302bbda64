#include "sae/storage/trial_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
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

/// Of a program that could not be started, by the libraries that it needs say.
constexpr int kNotStarted = 127;
/// The trial tells through its standard input, which it has no other use for, that it gets on.
constexpr int kProgress = STDIN_FILENO;

/// A fault ends the process without a trace. Signals that are meant for the job do not reach it.
void prepare_trial() {
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
  static_cast<void>(!write(kProgress, "", 1));  // Nobody may care.
}

/// A pipe for the progress of a trial.
struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  std::array<int, 2> ends{};
};

/// Until the other end is closed, by the end of the process say.
void follow(int pipe, const std::function<void()>& progress) {
  char sign = 0;
  for (;;) {
    const ssize_t count = read(pipe, &sign, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    if (progress) progress();
  }
}

std::optional<std::string> failure_of(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  if (WIFEXITED(status)) {
    // Sanitizers report a crash in this way.
    const int code = WEXITSTATUS(status);
    if (code == 0 || code == kNotStarted) return std::nullopt;
    return fmt::format("ended with exit code {}", code);
  }
  const int signal = WTERMSIG(status);
  if (signal == kOutOfTime) return "came to no end";
  // Any other signal comes from outside, such as that of a system short of memory.
  if (std::ranges::find(kFatalSignals, signal) == kFatalSignals.end()) return std::nullopt;
  return fmt::format("ended by signal {} ({})", signal, strsignal(signal));
}

}  // namespace

std::optional<std::string> failure_in_trial(const Trial& trial,
                                            const std::function<void()>& progress) {
  Pipe pipe;
  const pid_t copy = fork();
  if (copy < 0) return std::nullopt;
  if (copy == 0) {
    dup2(pipe.ends[1], kProgress);
    run_trial(trial);
  }
  pipe.close_end(1);
  follow(pipe.ends[0], progress);
  return failure_of(copy);
}

std::optional<std::string> failure_in_new_process(const std::vector<std::string>& arguments,
                                                  const std::function<void()>& progress) {
  Pipe pipe;
  std::string name = "sae_dist";
  std::vector<std::string> words = arguments;
  std::vector<char*> pointers = {name.data()};
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe.ends[1], kProgress);
  pid_t process = 0;
  const int code =
      posix_spawn(&process, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return std::nullopt;
  pipe.close_end(1);
  follow(pipe.ends[0], progress);
  return failure_of(process);
}

void run_trial(const Trial& trial) {
  prepare_trial();
  try {
    trial(limit_time);
  } catch (...) {  // The caller will meet it.
  }
  _exit(0);  // Nothing of the parent may be flushed or finalized here.
}

}  // namespace sae
