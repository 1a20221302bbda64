#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "sae/core/types.hpp"

namespace sae {

/// A line for a terminal of so many columns: a bar between two texts, as long as there is room.
std::string bar_line(const std::string& left, double share, const std::string& right, int columns);

/// Shows on one line of a terminal how far a pass over samples has come.
class ProgressBar {
 public:
  /// `columns` of the terminal; 0: there is none, nothing is shown.
  ProgressBar(Index total, int columns, std::FILE* out)
      : total_(total), columns_(columns), out_(out) {}

  ~ProgressBar() { erase(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// So many samples are done. Redraws ten times a second at most.
  void show(Index done);
  /// What follows is written in the place of the bar.
  void erase();

  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  Index total_;
  int columns_;
  std::FILE* out_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_;
  bool shown_ = false;
};

}  // namespace sae
