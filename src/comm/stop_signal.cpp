#include "sae/comm/stop_signal.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

namespace sae {
namespace {

/// Signals within this time of the first are copies of it.
constexpr std::int64_t kCopyWindowNanoseconds = 200'000'000;

constexpr std::array kStopSignals = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGQUIT, SIGXCPU};

// Lock-free: a handler may use them.
std::atomic<int> first_signal{0};
std::atomic<std::int64_t> first_time{0};

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void take_note(int signal) {
  int first = 0;
  if (first_signal.compare_exchange_strong(first, signal)) {
    first_time = now();
    return;
  }
  // A batch system sends one kind as a warning and another before it kills.
  if (signal != first && signal != SIGINT) return;
  if (first_time != 0 && now() - first_time > kCopyWindowNanoseconds) _exit(128 + signal);
}

/// Applies to this thread and the threads that it creates.
void change_mask(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kStopSignals) sigaddset(&signals, signal);
  pthread_sigmask(how, &signals, nullptr);
}

}  // namespace

void install_stop_signals() {
  // Some kernels, such as oneDNN's for AVX, temporarily use a heap block as their stack. A signal
  // handler running there would overwrite the heap below it. Handle signals in a thread that
  // computes nothing.
  std::thread([] {
    change_mask(SIG_UNBLOCK);
    while (true) pause();
  }).detach();
  change_mask(SIG_BLOCK);
  struct sigaction action {};
  action.sa_handler = take_note;
  action.sa_flags = SA_RESTART;
  for (const int signal : kStopSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    // Set by nohup.
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
}

void ignore_signals_of_writes() {
  for (const int ignored : {SIGPIPE, SIGXFSZ}) ::signal(ignored, SIG_IGN);
}

bool stop_requested() { return first_signal != 0; }

std::string stop_signal() {
  const int signal = first_signal;
  const char* name = signal == 0 ? nullptr : sigabbrev_np(signal);
  return name == nullptr ? "" : std::string("SIG") + name;
}

}  // namespace sae
