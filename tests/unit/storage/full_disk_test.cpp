// What happens when the disk is full, played by a limit on the size of files. Apart from the
// other tests of Hdf5File: the end of the process belongs to the test.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <vector>

#include "sae/core/error.hpp"
#include "sae/storage/hdf5_file.hpp"
#include "sae/storage/output_file.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"

namespace sae {
namespace {

TEST(FullDiskDeathTest, WriterReportsTheReasonAndTheProcessEndsInOrder) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "file.h5";
  const auto write_and_exit = [&path] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      OutputFile output_file(path);
      auto file = Hdf5File::create(output_file.temporary_path());
      const std::vector<float> values(50'000, 1.0f);
      file.write<float>("/values", {50'000}, values);
      file.close();
      output_file.commit();
    } catch (const OutputError& error) {
      std::fputs(error.what(), stderr);
      std::exit(static_cast<int>(error.code()));
    }
    std::exit(0);
  };
  EXPECT_EXIT(write_and_exit(), testing::ExitedWithCode(static_cast<int>(ExitCode::kOutput)),
              "Cannot write /values in '.*file.h5.*File too large");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace sae
