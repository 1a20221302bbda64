// Runs GoogleTest on all ranks. A rank that leaves a test early (ASSERT_*, an exception) would
// leave the others waiting in a collective: it prints where it failed and ends the job instead.
#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>

namespace {

class FailureReporter : public testing::EmptyTestEventListener {
 public:
  explicit FailureReporter(int rank) : rank_(rank) {}

 private:
  void OnTestStart(const testing::TestInfo& test) override {
    test_ = std::string(test.test_suite_name()) + '.' + test.name();
  }

  // Must not ask UnitTest for anything: it calls this with its lock held.
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::ostringstream text;  // One write: lines of several ranks do not mix.
    text << "[rank " << rank_ << "] " << (result.file_name() ? result.file_name() : "unknown file")
         << ':' << std::max(result.line_number(), 0) << ": " << test_ << ": " << result.message()
         << '\n';
    std::cerr << text.str() << std::flush;
    if (result.fatally_failed()) MPI_Abort(MPI_COMM_WORLD, 1);
  }

  int rank_;
  std::string test_ = "outside of a test";
};

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  testing::InitGoogleTest(&argc, argv);

  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (rank != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new FailureReporter(rank));

  const int own_code = RUN_ALL_TESTS();
  int code = 0;
  MPI_Allreduce(&own_code, &code, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
