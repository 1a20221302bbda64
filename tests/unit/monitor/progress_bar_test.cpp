#include "sae/monitor/progress_bar.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace sae {
namespace {

/// All that a bar of so many columns draws.
std::string drawn(Index total, int columns) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  {
    ProgressBar bar(total, columns, out);
    bar.show(total / 2);
    bar.show(total / 2 + 1);
  }
  std::fclose(out);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(ProgressBar, ShowsHowMuchIsDoneAndIsErasedAtItsEnd) {
  const std::string text = drawn(2000000, 80);
  EXPECT_EQ(text.find("\r\x1b[K["), 0u);
  EXPECT_NE(text.find("==--"), std::string::npos);
  EXPECT_NE(text.find("] 50% 1,000,000 of 2,000,000 "), std::string::npos);
  EXPECT_EQ(text.rfind("\r\x1b[K"), text.size() - 4);
  EXPECT_LT(text.size(), 80u + 8u);
}

TEST(ProgressBar, IsNotRedrawnAtOnce) {
  EXPECT_EQ(drawn(2000000, 80).find("1,000,001"), std::string::npos);
}

TEST(ProgressBar, FitsTheTerminalOrIsNotShown) {
  EXPECT_LE(drawn(2000000, 20).size(), 20u + 8u);
  EXPECT_EQ(drawn(2000000, 0), "");
  EXPECT_NE(drawn(0, 80), "");  // Nothing to do is no reason to divide by it.
}

}  // namespace
}  // namespace sae
