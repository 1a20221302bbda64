#pragma once

#include <chrono>

namespace sae {

/// Adds the duration of a scope to a sum, in seconds.
class SecondsScope {
 public:
  explicit SecondsScope(double& sum) : sum_(sum) {}
  ~SecondsScope() {
    sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  SecondsScope(const SecondsScope&) = delete;
  SecondsScope& operator=(const SecondsScope&) = delete;

 private:
  double& sum_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace sae
