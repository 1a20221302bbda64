#include "sae/monitor/progress_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sae/core/text.hpp"

namespace sae {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};

}  // namespace

std::string bar_line(const std::string& left, double share, const std::string& right, int columns) {
  const int room = columns - static_cast<int>(left.size() + right.size()) - 3;
  std::string bar;
  if (room >= 3) {
    const int full = static_cast<int>(std::lround(share * room));
    bar = fmt::format("[{:=<{}}{:-<{}}]", "", full, "", room - full);
  }
  return (left + bar + right).substr(0, static_cast<std::size_t>(columns - 1));
}

void ProgressBar::show(Index done) {
  const auto now = Clock::now();
  if (columns_ == 0 || now - last_drawn_ < kRedraw) return;
  last_drawn_ = now;
  const double share = static_cast<double>(done) / static_cast<double>(std::max<Index>(total_, 1));
  const double rate = static_cast<double>(done) / std::max(seconds(), 1e-9);
  const double left = static_cast<double>(total_ - done) / std::max(rate, 1e-9);
  const std::string text =
      fmt::format(" {:.0f}% {} of {} {} samples/s left {}", 100 * share, grouped(done),
                  grouped(total_), grouped(std::llround(rate)), duration(left));
  fmt::print(out_, "\r\x1b[K{}", bar_line("", share, text, columns_));
  std::fflush(out_);
  shown_ = true;
}

void ProgressBar::erase() {
  if (!shown_) return;
  fmt::print(out_, "\r\x1b[K");
  std::fflush(out_);
  shown_ = false;
}

double ProgressBar::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

}  // namespace sae
