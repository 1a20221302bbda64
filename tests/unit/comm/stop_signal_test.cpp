#include "sae/comm/stop_signal.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace sae {
namespace {

/// Exits with 0 if a signal to the process is noted, and handled by another thread than this one,
/// which computes: on the stack of such a thread there may be no room.
[[noreturn]] void take_a_signal() {
  install_stop_signals();
  static volatile bool handled_here = false;
  static const pid_t computing = gettid();
  struct sigaction noted {};
  sigaction(SIGTERM, nullptr, &noted);
  static void (*const note)(int) = noted.sa_handler;
  noted.sa_handler = [](int signal) {
    if (gettid() == computing) handled_here = true;
    note(signal);
  };
  sigaction(SIGTERM, &noted, nullptr);
  kill(getpid(), SIGTERM);
  for (int tick = 0; tick < 1000 && !stop_requested(); ++tick) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  _exit(stop_signal() == "SIGTERM" && !handled_here ? 0 : 1);
}

TEST(StopSignal, IsHandledByAThreadThatComputesNothing) {
  EXPECT_EXIT(take_a_signal(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sae
