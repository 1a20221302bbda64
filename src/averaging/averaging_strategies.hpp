#pragma once

#include <chrono>
#include <memory>

#include "sae/averaging/gradient_averaging.hpp"

namespace sae {

/// Adds the time of a scope, in seconds.
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

std::unique_ptr<GradientAveraging> make_flat_averaging(const ParameterLayout& layout,
                                                       const AveragingSettings& settings,
                                                       Communicator& comm, Heartbeat* heartbeat);

/// None if it is not asked for by name and brings nothing, or a node lacks the shared memory.
/// Collective. Throws: CommunicationError if it is asked for by name and impossible.
std::unique_ptr<GradientAveraging> make_node_averaging(const ParameterLayout& layout,
                                                       const AveragingSettings& settings,
                                                       Communicator& comm, Heartbeat* heartbeat);

}  // namespace sae
