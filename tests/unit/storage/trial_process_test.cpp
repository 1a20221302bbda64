#include "sae/storage/trial_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>

namespace sae {
namespace {

constexpr std::chrono::seconds kLimit{1};

std::optional<std::string> failure_of(const std::function<void()>& action) {
  return failure_in_trial([&action](const LimitTime& limit_time) {
    limit_time(kLimit);
    action();
  });
}

void burn(std::chrono::milliseconds processor_time) {
  const std::clock_t end = std::clock() + processor_time.count() * CLOCKS_PER_SEC / 1000;
  while (std::clock() < end) {
  }
}

TEST(TrialProcess, ThatReturnsHasNoFailure) {
  EXPECT_EQ(failure_of([] {}), std::nullopt);
}

TEST(TrialProcess, ThatThrowsHasNoFailure) {
  EXPECT_EQ(failure_of([] { throw std::runtime_error("for the caller to see"); }), std::nullopt);
}

TEST(TrialProcess, ThatCrashesNamesTheSignal) {
  EXPECT_EQ(failure_of([] { raise(SIGSEGV); }), "ended by signal 11 (Segmentation fault)");
  EXPECT_EQ(failure_of([] { std::abort(); }), "ended by signal 6 (Aborted)");
}

TEST(TrialProcess, ThatCrashesDoesSoDespiteTheHandlersOfTheProgram) {
  struct sigaction before {};
  struct sigaction handler {};
  handler.sa_handler = [](int) { _exit(0); };
  sigaction(SIGSEGV, &handler, &before);
  EXPECT_EQ(failure_of([] { raise(SIGSEGV); }), "ended by signal 11 (Segmentation fault)");
  sigaction(SIGSEGV, &before, nullptr);
}

TEST(TrialProcess, ThatLeavesWithACodeNamesIt) {
  EXPECT_EQ(failure_of([] { _exit(23); }), "ended with exit code 23");
}

TEST(TrialProcess, ThatComesToNoEndIsEnded) {
  EXPECT_EQ(failure_of([] {
              for (;;) burn(kLimit);
            }),
            "came to no end");
}

TEST(TrialProcess, ThatMakesProgressIsNotEnded) {
  const auto action = [](const LimitTime& limit_time) {
    for (int i = 0; i < 3; ++i) {
      limit_time(kLimit);
      burn(std::chrono::milliseconds(600));
    }
  };
  int signs = 0;
  EXPECT_EQ(failure_in_trial(action, [&signs] { ++signs; }), std::nullopt);
  EXPECT_EQ(signs, 3);
}

TEST(TrialProcess, ThatIsKilledFromOutsideTellsNothing) {
  EXPECT_EQ(failure_of([] { raise(SIGKILL); }), std::nullopt);
}

TEST(TrialProcess, IsNotStoppedBySignalsForTheJob) {
  EXPECT_EQ(failure_of([] {
              for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) raise(signal);
              std::abort();
            }),
            "ended by signal 6 (Aborted)");
}

TEST(TrialProcess, ChangesAndPrintsNothingHere) {
  int value = 1;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  std::printf("held back by stdio ");
  EXPECT_EQ(failure_of([&value] {
              value = 2;
              std::printf("lost");
              std::fflush(stdout);
              std::fputs("lost", stderr);
            }),
            std::nullopt);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "held back by stdio ");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(value, 1);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // No process is left.
  EXPECT_EQ(errno, ECHILD);
}

TEST(TrialProcess, ThatCannotBeMadeIsLeftOut) {
  const auto without_processes = [] {
    if (getuid() == 0 && setuid(65534) != 0) _exit(1);  // The limit does not bind root.
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (setrlimit(RLIMIT_NPROC, &none) != 0) _exit(2);
    _exit(failure_of([] { std::abort(); }) == std::nullopt ? 0 : 3);
  };
  EXPECT_EXIT(without_processes(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sae
