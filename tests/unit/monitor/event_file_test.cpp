#include "monitor/event_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <set>

#include "sae/core/error.hpp"
#include "support/temporary_directory.hpp"
#include "tensorboard.pb.h"

namespace sae {
namespace {

namespace fs = std::filesystem;

struct EventFiles : testing::Test {
  TemporaryDirectory folder;

  std::set<fs::path> files() const {
    return {fs::directory_iterator(folder.path()), fs::directory_iterator()};
  }
};

tensorboard::Event event_of_size(std::size_t size) {
  tensorboard::Event event;
  event.set_graph_def(std::string(size, 'x'));
  return event;
}

/// How many records are whole; -1 if the last is not.
int whole_records(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  int count = 0;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t length = 0;
    if (at + 12 > bytes.size()) return -1;
    bytes.copy(reinterpret_cast<char*>(&length), 8, at);
    at += length + 16;
    ++count;
  }
  return at == bytes.size() ? count : -1;
}

TEST(MaskedCrc32c, IsThatOfThePublishedExamples) {
  const auto masked = [](std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; };
  EXPECT_EQ(masked_crc32c("123456789"), masked(0xe3069283u));
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')), masked(0x8a9136aau));
}

TEST_F(EventFiles, OfOneSecondAreReadInTheOrderInWhichTheyWereMade) {
  std::vector<fs::path> made;
  for (int i = 0; i < 3; ++i) {
    const auto before = files();
    EventFile file(folder.path());
    EXPECT_EQ(file.continues(), i > 0);
    file.flush();
    for (const fs::path& path : files()) {
      if (!before.contains(path)) made.push_back(path);
    }
  }
  EXPECT_EQ(made.size(), 3u);
  EXPECT_TRUE(std::is_sorted(made.begin(), made.end()));
}

TEST_F(EventFiles, AFullDiskLeavesWholeRecordsAndLaterOnesFollow) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  getrlimit(RLIMIT_FSIZE, &usual);
  EventFile file(folder.path());
  file.append(event_of_size(100));
  file.flush();
  rlimit small = usual;
  small.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &small);
  file.append(event_of_size(100));
  file.append(event_of_size(5000));
  EXPECT_THROW(file.flush(), OutputError);
  EXPECT_EQ(whole_records(*files().begin()), 2);
  setrlimit(RLIMIT_FSIZE, &usual);
  EXPECT_EQ(file.pending_bytes(), 0u);
  file.append(event_of_size(200));
  file.flush();
  EXPECT_EQ(whole_records(*files().begin()), 3);
}

TEST_F(EventFiles, AFolderThatCannotBeMadeIsAnOutputError) {
  std::ofstream(folder.path() / "file") << "in the way";
  EXPECT_THROW(EventFile(folder.path() / "file" / "events"), OutputError);
}

}  // namespace
}  // namespace sae
