#include "sae/comm/stop_signal.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace sae {
namespace {

/// Signals closer together than this are copies of one.
constexpr std::int64_t kCopyWindowNanoseconds = 200'000'000;

std::atomic<std::int64_t> first_signal{0};  // Lock-free: a handler may use it.

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void take_note(int signal) {
  std::int64_t expected = 0;
  if (first_signal.compare_exchange_strong(expected, now())) return;
  if (now() - expected > kCopyWindowNanoseconds) _exit(128 + signal);
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = take_note;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) sigaction(signal, &action, nullptr);
}

bool stop_requested() { return first_signal.load() != 0; }

}  // namespace sae
